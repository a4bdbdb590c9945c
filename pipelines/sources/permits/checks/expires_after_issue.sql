-- one row: badges, permits and passes with both dates, and those that end before they begin
SELECT count(*) AS rows, count(*) FILTER (WHERE ends < begins) AS failures
FROM (
    SELECT start_date AS begins, expiry_date AS ends FROM ${blue_badges}
    UNION ALL SELECT from_day, to_day FROM ${parking_permits}
    UNION ALL SELECT issue_date, expiry_date FROM ${bus_passes}
)
WHERE begins IS NOT NULL AND ends IS NOT NULL
