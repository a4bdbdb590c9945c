-- one row per address of a person; for a client whom case management doesn't know, the postcode of the newest event
SELECT
    'adult_social_care:' || address_ref AS address_id, address_ref AS address_key, address AS address_text, post_code AS postcode,
    whole_uprn(uprn) AS uprn_given, NULL AS xref_source, NULL AS xref_key, extract_date, valid_from, valid_to, loaded_run
FROM ${addresses}
UNION ALL
SELECT
    'adult_social_care:' || la_person_unique_identifier, la_person_unique_identifier, NULL, postcode, NULL, NULL, NULL,
    extract_date, valid_from, valid_to, loaded_run
FROM (
    SELECT * FROM ${cld} WHERE la_person_unique_identifier NOT IN (SELECT person_id FROM ${persons})
    QUALIFY row_number() OVER (
        PARTITION BY la_person_unique_identifier
        ORDER BY extract_date DESC, event_start_date DESC NULLS LAST, event_reference DESC) = 1)
