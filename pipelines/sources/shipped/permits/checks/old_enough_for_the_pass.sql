-- one row per pass by age with a birth date; fails if the holder was under sixty when it was issued
SELECT pass_no, date_of_birth + INTERVAL 60 YEAR > issue_date AS fails
FROM ${bus_passes}
WHERE pass_type = 'OLDER' AND date_of_birth IS NOT NULL AND issue_date IS NOT NULL
