-- one row: episodes followed by another, and those that end after the next began
SELECT count(*) AS rows, count(*) FILTER (WHERE dec IS NULL OR dec > next_decom) AS failures
FROM (SELECT *, lead(decom) OVER (PARTITION BY child ORDER BY decom) AS next_decom FROM ${episodes})
WHERE next_decom IS NOT NULL
