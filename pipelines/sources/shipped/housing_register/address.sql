-- one row per application: where the applicants live
SELECT
    'housing_register:' || application_ref AS address_id, application_ref AS address_key,
    nullif(concat_ws(', ', address_line1, address_line2, address_line3), '') AS address_text, postcode,
    whole_uprn(uprn) AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${applications}
