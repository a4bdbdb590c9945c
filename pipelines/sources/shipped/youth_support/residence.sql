-- one row per young person and home; since when isn't known
SELECT
    record_id, 'youth_support:' || young_person_id AS address_id, NULL::DATE AS from_date, NULL::DATE AS to_date, 'contact' AS basis,
    extract_date, valid_from, valid_to, loaded_run
FROM ${young_person}
