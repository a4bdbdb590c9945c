-- one row per client: at the postcode since the first event that is held
SELECT
    record_id, 'adult_social_care:' || la_person_unique_identifier AS address_id,
    min(event_start_date) OVER (PARTITION BY record_id) AS from_date,
    date_of_death AS to_date, 'care' AS basis,
    extract_date, valid_from, valid_to, loaded_run
FROM ${cld}
QUALIFY row_number() OVER (
    PARTITION BY record_id ORDER BY extract_date DESC, event_start_date DESC NULLS LAST, event_reference DESC) = 1
