-- one row per badge, permit or pass with both dates; fails if it ends before it begins
SELECT badge_number, permit_no, pass_no, ends < begins AS fails
FROM (
    SELECT badge_number, NULL AS permit_no, NULL AS pass_no, start_date AS begins, expiry_date AS ends
    FROM ${blue_badges}
    UNION ALL SELECT NULL, permit_no, NULL, from_day, to_day FROM ${parking_permits}
    UNION ALL SELECT NULL, NULL, pass_no, issue_date, expiry_date FROM ${bus_passes}
)
WHERE begins IS NOT NULL AND ends IS NOT NULL
