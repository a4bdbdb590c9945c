-- one row: persons with a current address, and those with several
SELECT count(*) AS rows, count(*) FILTER (WHERE current > 1) AS failures
FROM (SELECT person_id, count(*) AS current FROM ${addresses} WHERE end_date IS NULL GROUP BY person_id)
