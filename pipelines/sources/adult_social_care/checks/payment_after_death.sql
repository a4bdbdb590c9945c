-- one row: payments, and those whose weeks begin after the person died
WITH paid AS (SELECT person_id, period_start FROM ${direct_payments} UNION ALL SELECT person_id, period_start FROM ${care_home_payments})
SELECT count(*) AS rows, count(*) FILTER (WHERE period_start > date_of_death) AS failures
FROM paid LEFT JOIN ${persons} USING (person_id)
