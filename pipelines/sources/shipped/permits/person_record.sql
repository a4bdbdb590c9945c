-- one row per badge, permit or pass and occupant: its holder as written there
SELECT
    record_id, badge_number AS source_key, occupant, 'holder' AS role,
    NULL AS title, NULL AS forename, NULL AS middle, NULL AS surname, badge_holder_name AS name_text, NULL AS former_surname,
    dob AS birth_date, CASE gender_code WHEN 'MALE' THEN 'M' WHEN 'FEMALE' THEN 'F' END AS sex, NULL AS death_date,
    nino, NULL AS nhs_number, primary_phone_number AS phone, email_address AS email, NULL AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${blue_badges}
UNION ALL
SELECT
    record_id, permit_no, occupant, 'permit_holder', title, forename, NULL, surname, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, phone, email, NULL, extract_date, valid_from, valid_to, loaded_run
FROM ${parking_permits}
UNION ALL
SELECT
    record_id, pass_no, occupant, 'holder', title, forename, middle_name, surname, NULL, NULL,
    date_of_birth, CASE gender WHEN 'M' THEN 'M' WHEN 'F' THEN 'F' END, NULL, NULL, NULL, NULL, NULL, NULL,
    extract_date, valid_from, valid_to, loaded_run
FROM ${bus_passes}
