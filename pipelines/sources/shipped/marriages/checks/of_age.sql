-- one row per person who married, with a birth date; fails under sixteen on the day
SELECT marriage_id, party_no, p.date_of_birth + INTERVAL 16 YEAR > m.date_of_marriage AS fails
FROM ${parties} p
JOIN ${marriages} m USING (marriage_id)
WHERE p.date_of_birth IS NOT NULL AND m.date_of_marriage IS NOT NULL
