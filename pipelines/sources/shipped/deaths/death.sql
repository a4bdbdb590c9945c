-- one row per registered death
SELECT
    registration_id AS registration_ref, record_id, 'deaths:' || registration_id AS address_id,
    date_of_death AS death_date, registered_date,
    extract_date, valid_from, valid_to, loaded_run
FROM ${deaths}
