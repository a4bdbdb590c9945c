-- one row per client and occupant, as written with the newest event; a client ever in a refuge is flagged
SELECT
    record_id, la_person_unique_identifier AS source_key, occupant, 'client' AS role,
    NULL AS title, first_name AS forename, NULL AS middle, last_name AS surname, NULL AS name_text, NULL AS former_surname,
    date_of_birth AS birth_date, CASE gender WHEN 'Male' THEN 'M' WHEN 'Female' THEN 'F' END AS sex, date_of_death AS death_date,
    NULL AS nino, nhs_number, NULL AS phone, NULL AS email,
    CASE WHEN bool_or(coalesce(contains(lower(accommodation_status), 'refuge'), false)) OVER (PARTITION BY record_id)
         THEN 'refuge' END AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${cld}
QUALIFY row_number() OVER (
    PARTITION BY record_id ORDER BY extract_date DESC, event_start_date DESC NULLS LAST, event_reference DESC) = 1
