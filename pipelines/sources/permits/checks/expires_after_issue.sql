-- one row per badge, permit or pass with both dates; fails if it ends before it begins
SELECT badge_number, permit_no, pass_no, ends < begins AS fails
FROM (
    SELECT badge_number, start_date AS begins, expiry_date AS ends FROM ${blue_badges}
    UNION ALL BY NAME SELECT permit_no, from_day AS begins, to_day AS ends FROM ${parking_permits}
    UNION ALL BY NAME SELECT pass_no, issue_date AS begins, expiry_date AS ends FROM ${bus_passes}
)
WHERE begins IS NOT NULL AND ends IS NOT NULL
