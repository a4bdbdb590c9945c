-- one row per young person and occupant
SELECT
    record_id, young_person_id AS source_key, occupant, 'young_person' AS role, NULL AS title, forename, NULL AS middle, surname,
    NULL AS name_text, NULL AS former_surname, birth_date, gender AS sex, NULL::DATE AS death_date, NULL AS nino, NULL AS nhs_number,
    phone, email, CASE WHEN restricted = 'Y' THEN 'restricted' END AS sensitivity, extract_date, valid_from, valid_to, loaded_run
FROM ${young_person}
