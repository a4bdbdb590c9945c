-- one row per person and occupant: as case management has them, else as written with the newest event of the Client Level Data
WITH refuge AS (
    SELECT la_person_unique_identifier AS person_id FROM ${cld} WHERE contains(lower(accommodation_status), 'refuge')
    UNION SELECT person_id FROM ${addresses} WHERE address_type = 'Refuge'
), reported AS (
    SELECT * FROM ${cld} WHERE la_person_unique_identifier NOT IN (SELECT person_id FROM ${persons})
    QUALIFY row_number() OVER (
        PARTITION BY record_id ORDER BY extract_date DESC, event_start_date DESC NULLS LAST, event_reference DESC) = 1
), known AS (
    SELECT record_id, person_id, occupant, title, first_name, last_name, date_of_birth, gender AS sex, date_of_death, nhs_number, phone,
        CASE WHEN restricted = 'Y' THEN coalesce(restricted_reason, 'CASE') END AS reason,
        extract_date, valid_from, valid_to, loaded_run
    FROM ${persons}
    UNION ALL
    SELECT record_id, la_person_unique_identifier, occupant, NULL, first_name, last_name, date_of_birth, left(gender, 1),
        date_of_death, nhs_number, NULL, NULL, extract_date, valid_from, valid_to, loaded_run
    FROM reported
)
SELECT
    record_id, person_id AS source_key, occupant, 'client' AS role,
    title, first_name AS forename, NULL AS middle, last_name AS surname, NULL AS name_text, NULL AS former_surname,
    date_of_birth AS birth_date, CASE WHEN sex IN ('M', 'F') THEN sex END AS sex, date_of_death AS death_date,
    NULL AS nino, nhs_number, phone, NULL AS email,
    CASE WHEN reason = 'GRC' THEN 'gender_recognition'
         WHEN reason = 'REFUGE' OR person_id IN (SELECT person_id FROM refuge) THEN 'refuge'
         WHEN reason = 'STAFF' THEN 'staff' WHEN reason IS NOT NULL THEN 'restricted' END AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM known
