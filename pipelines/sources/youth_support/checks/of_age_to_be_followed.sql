-- one row: young people with a birth date, and those outside the ages that the service may follow
SELECT count(*) AS rows, count(*) FILTER (WHERE date_diff('year', birth_date, started) NOT BETWEEN 12 AND 25) AS failures
FROM ${young_person} WHERE birth_date IS NOT NULL
