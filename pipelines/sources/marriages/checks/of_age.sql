-- one row: people who married with a birth date, and those under sixteen on the day
SELECT count(*) AS rows, count(*) FILTER (WHERE p.date_of_birth + INTERVAL 16 YEAR > m.date_of_marriage) AS failures
FROM ${parties} p
JOIN ${marriages} m USING (marriage_id)
WHERE p.date_of_birth IS NOT NULL AND m.date_of_marriage IS NOT NULL
