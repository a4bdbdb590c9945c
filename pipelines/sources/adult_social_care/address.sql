-- one row per client: the postcode of the newest event
SELECT
    'adult_social_care:' || la_person_unique_identifier AS address_id, la_person_unique_identifier AS address_key,
    NULL AS address_text, postcode, NULL AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${cld}
QUALIFY row_number() OVER (
    PARTITION BY la_person_unique_identifier
    ORDER BY extract_date DESC, event_start_date DESC NULLS LAST, event_reference DESC) = 1
