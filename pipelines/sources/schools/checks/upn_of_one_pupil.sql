-- one row: unique pupil numbers, and those that several pupils bear
SELECT count(*) AS rows, count(*) FILTER (WHERE pupils > 1) AS failures
FROM (SELECT upn, count(*) AS pupils FROM ${pupil} WHERE upn IS NOT NULL GROUP BY upn)
