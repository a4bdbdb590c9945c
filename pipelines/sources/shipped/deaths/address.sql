-- one row per death: the usual address
SELECT
    'deaths:' || registration_id AS address_id, registration_id AS address_key,
    usual_address AS address_text, postcode,
    NULL AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${deaths}
QUALIFY row_number() OVER (PARTITION BY registration_id ORDER BY extract_date DESC, valid_from DESC) = 1
