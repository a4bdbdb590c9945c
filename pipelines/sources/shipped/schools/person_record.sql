-- one row per pupil or adult to call, and occupant
SELECT
    'schools:pupil/' || pupilid || '#' || occupant AS record_id, 'pupil/' || pupilid AS source_key, occupant, 'pupil' AS role,
    NULL AS title, forename, middlenames AS middle, surname, NULL AS name_text, formersurname AS former_surname, dob AS birth_date, sex,
    NULL::DATE AS death_date, NULL AS nino, NULL AS nhs_number, NULL AS phone, NULL AS email,
    CASE WHEN adoptedfromcare = 'Y' THEN 'adoption' WHEN restricted = 'Y' THEN 'restricted' END AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${pupil}
UNION ALL
SELECT
    'schools:contact/' || contactid || '#' || occupant, 'contact/' || contactid, occupant, 'contact',
    title, forename, NULL, surname, NULL, NULL, NULL, sex, NULL, NULL, NULL, phone, email, NULL,
    extract_date, valid_from, valid_to, loaded_run
FROM ${contact}
