-- one row per birth: the mother's usual address
SELECT
    'births:' || registration_id AS address_id, registration_id AS address_key,
    usual_address AS address_text, postcode,
    NULL AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${births}
