-- one row per badge, permit or pass and occupant
SELECT
    badge_number AS permit_ref, record_id, 'permits:' || badge_number AS address_id, 'blue_badge' AS kind, NULL AS vehicle,
    coalesce(expiry_date >= extract_date, true) AND coalesce(cancelled_date > extract_date, true) AS is_live,
    start_date AS from_date, least(expiry_date, cancelled_date) AS to_date,
    extract_date, valid_from, valid_to, loaded_run
FROM ${blue_badges}
UNION ALL
SELECT
    permit_no, record_id, 'permits:' || permit_no, lower(permit_type) || '_parking', vrm,
    coalesce(to_day >= extract_date, true) AND coalesce(cancelled_date > extract_date, true),
    from_day, least(to_day, cancelled_date), extract_date, valid_from, valid_to, loaded_run
FROM ${parking_permits}
UNION ALL
SELECT
    pass_no, record_id, 'permits:' || pass_no,
    CASE pass_type WHEN 'OLDER' THEN 'older_persons_pass' WHEN 'DISABLED' THEN 'disabled_persons_pass' END, NULL,
    coalesce(expiry_date >= extract_date, true) AND coalesce(hotlisted_date > extract_date, true),
    issue_date, least(expiry_date, hotlisted_date), extract_date, valid_from, valid_to, loaded_run
FROM ${bus_passes}
