-- one row per badge, permit or pass: its holder at the address of the issue; nobody tells the office of a later move
SELECT
    record_id, 'permits:' || badge_number AS address_id, start_date AS from_date, least(expiry_date, cancelled_date) AS to_date,
    'contact' AS basis, extract_date, valid_from, valid_to, loaded_run
FROM ${blue_badges}
UNION ALL
SELECT
    record_id, 'permits:' || permit_no, from_day, least(to_day, cancelled_date),
    'contact', extract_date, valid_from, valid_to, loaded_run
FROM ${parking_permits}
UNION ALL
SELECT
    record_id, 'permits:' || pass_no, issue_date, least(expiry_date, hotlisted_date),
    'contact', extract_date, valid_from, valid_to, loaded_run
FROM ${bus_passes}
