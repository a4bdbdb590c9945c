-- one row: deaths with both dates, and those registered before they happened
SELECT count(*) AS rows, count(*) FILTER (WHERE registered_date < date_of_death) AS failures
FROM ${deaths}
WHERE registered_date IS NOT NULL AND date_of_death IS NOT NULL
