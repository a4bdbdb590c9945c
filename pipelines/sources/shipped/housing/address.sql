-- one row per home let
SELECT
    'housing:' || prop_ref AS address_id, prop_ref AS address_key,
    short_address AS address_text, post_code AS postcode,
    whole_uprn(uprn) AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${property}
