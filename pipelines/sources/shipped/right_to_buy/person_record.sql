-- one row per applicant and occupant
SELECT
    record_id, key_part(rtb_ref) || '/' || key_part(applicant_no) AS source_key, occupant, 'applicant' AS role,
    title, forename, middle_name AS middle, surname, NULL AS name_text, NULL AS former_surname,
    dob AS birth_date, NULL AS sex, NULL AS death_date,
    ni_no AS nino, NULL AS nhs_number, home_phone AS phone, email, NULL AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${rtb}
