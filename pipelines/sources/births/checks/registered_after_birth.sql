-- one row: children with both dates, and those registered before they were born
SELECT count(*) AS rows, count(*) FILTER (WHERE b.registered_date < p.date_of_birth) AS failures
FROM ${parties} p
JOIN ${births} b USING (registration_id)
WHERE p.party = 'C' AND p.date_of_birth IS NOT NULL AND b.registered_date IS NOT NULL
