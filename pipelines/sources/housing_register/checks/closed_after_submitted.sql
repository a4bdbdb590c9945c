-- one row: closed applications, and those closed before they were made
SELECT count(*) AS rows, count(*) FILTER (WHERE closed_on < submitted_on) AS failures
FROM ${applications}
WHERE closed_on IS NOT NULL AND submitted_on IS NOT NULL
