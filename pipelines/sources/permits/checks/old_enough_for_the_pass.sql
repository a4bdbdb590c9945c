-- one row: passes by age with a birth date, and those of holders under sixty when it was issued
SELECT count(*) AS rows, count(*) FILTER (WHERE date_of_birth + INTERVAL 60 YEAR > issue_date) AS failures
FROM ${bus_passes}
WHERE pass_type = 'OLDER' AND date_of_birth IS NOT NULL AND issue_date IS NOT NULL
