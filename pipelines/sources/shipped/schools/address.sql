-- one row per pupil's home
SELECT
    'schools:' || pupilid AS address_id, pupilid AS address_key,
    nullif(concat_ws(', ', addressline1, addressline2, addressline3), '') AS address_text, postcode,
    whole_uprn(uprn) AS uprn_given, NULL AS xref_source, NULL AS xref_key, extract_date, valid_from, valid_to, loaded_run
FROM ${address}
