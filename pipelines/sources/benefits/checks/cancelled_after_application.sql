-- one row: claims with both dates, and those cancelled before they were made
SELECT count(*) AS rows, count(*) FILTER (WHERE cancel_date < application_date) AS failures
FROM ${hbclaim}
WHERE cancel_date IS NOT NULL AND application_date IS NOT NULL
