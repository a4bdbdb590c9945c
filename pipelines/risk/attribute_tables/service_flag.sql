-- A service that a person has or had, by month (person_id, service, from_month).
WITH used AS (
    SELECT person_id, 'council_tax_liable' AS service, from_date, to_date FROM liability
    UNION ALL
    SELECT l.person_id, 'single_person_discount', greatest(d.from_date, l.from_date), d.to_date
    FROM discount AS d
    JOIN liability AS l USING (account_ref)
    WHERE d.kind = 'discount' AND d.code = 'single_person'
        AND (l.to_date IS NULL OR l.to_date >= d.from_date) AND (d.to_date IS NULL OR d.to_date >= l.from_date)
    UNION ALL
    SELECT person_id, 'council_tax_reduction', from_date, to_date FROM claim
    WHERE kind IN ('council_tax_reduction', 'both')
    UNION ALL
    SELECT person_id, 'housing_benefit', from_date, to_date FROM claim WHERE kind IN ('housing_benefit', 'both')
    UNION ALL
    SELECT person_id, 'social_tenancy', from_date, to_date FROM tenancy
    UNION ALL
    SELECT person_id, 'adult_social_care', from_date, to_date FROM care_episode
)

SELECT person_id, service, month_of(used.from_date) AS from_month,
       CASE WHEN bool_or(used.to_date IS NULL) THEN NULL ELSE month_of(max(used.to_date)) END AS to_month,
       bool_or(used.to_date IS NULL OR used.to_date >= today()) AS is_today
FROM used
WHERE person_id IS NOT NULL
GROUP BY ALL
ORDER BY ALL
