-- one row: occupations with both dates, and those that end before they begin
SELECT count(*) AS rows, count(*) FILTER (WHERE vacation_date < occupation_date) AS failures
FROM ${ctoccupation}
WHERE vacation_date IS NOT NULL AND occupation_date IS NOT NULL
