-- one row per elector and occupant
SELECT
    record_id, elector_id AS source_key, occupant, 'elector' AS role,
    elector_title AS title, elector_forename AS forename, elector_middle_name AS middle, elector_surname AS surname,
    NULL AS name_text, NULL AS former_surname,
    elector_dob AS birth_date, NULL AS sex, NULL AS death_date,
    NULL AS nino, NULL AS nhs_number, NULL AS phone, NULL AS email, NULL AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${register}
