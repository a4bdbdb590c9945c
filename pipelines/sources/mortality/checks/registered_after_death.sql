-- one row: deaths with both dates, and those registered before they happened
SELECT count(*) AS rows, count(*) FILTER (WHERE reg_date < date_of_death) AS failures
FROM ${mortality}
WHERE reg_date IS NOT NULL AND date_of_death IS NOT NULL
