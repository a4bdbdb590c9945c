-- one row per young person's home
SELECT
    'youth_support:' || young_person_id AS address_id, young_person_id AS address_key, address AS address_text, postcode,
    whole_uprn(uprn) AS uprn_given, NULL AS xref_source, NULL AS xref_key, extract_date, valid_from, valid_to, loaded_run
FROM ${young_person}
