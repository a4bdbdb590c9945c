-- one row per child with both dates; fails if registered before it was born
SELECT registration_id, b.registered_date < p.date_of_birth AS fails
FROM ${parties} p
JOIN ${births} b USING (registration_id)
WHERE p.party = 'C' AND p.date_of_birth IS NOT NULL AND b.registered_date IS NOT NULL
