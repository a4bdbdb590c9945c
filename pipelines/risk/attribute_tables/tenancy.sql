-- A person named on or living under a social tenancy, by month (person_id, from_month).
SELECT DISTINCT person_id, tenancy.tenure, tenancy.is_tenant, month_of(tenancy.from_date) AS from_month,
       month_of(tenancy.to_date) AS to_month
FROM tenancy
WHERE person_id IS NOT NULL
ORDER BY ALL
