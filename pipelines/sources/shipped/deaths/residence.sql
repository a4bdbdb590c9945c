-- one row per death: the usual address until then
SELECT
    record_id, 'deaths:' || registration_id AS address_id,
    NULL AS from_date, date_of_death AS to_date, 'death' AS basis,
    extract_date, valid_from, valid_to, loaded_run
FROM ${deaths}
