-- one row: lettings with both dates, those that end before they start
SELECT count(*) AS rows, count(*) FILTER (to_date < from_date) AS failures
FROM ${holder}
WHERE from_date IS NOT NULL AND to_date IS NOT NULL
