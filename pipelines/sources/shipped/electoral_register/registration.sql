-- one row per entry in the register
SELECT
    elector_id AS elector_ref, record_id, 'electoral_register:' || elector_id AS address_id,
    franchise, (elector_dob + INTERVAL 18 YEAR)::DATE AS attainer_date, added_date,
    extract_date, valid_from, valid_to, loaded_run
FROM ${register}
