-- one row per elector and registered address; the register doesn't say when someone left
SELECT
    record_id, 'electoral_register:' || elector_id AS address_id,
    added_date AS from_date, NULL AS to_date, 'registration' AS basis,
    extract_date, valid_from, valid_to, loaded_run
FROM ${register}
