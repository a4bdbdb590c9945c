-- one row per person of an application and occupant; who may not be found is flagged
SELECT
    p.record_id, key_part(p.application_ref) || '/' || key_part(p.person_no) AS source_key, p.occupant,
    CASE p.relationship WHEN 'household' THEN 'household' ELSE 'applicant' END AS role,
    p.title, p.first_name AS forename, p.middle_name AS middle, p.surname, NULL AS name_text, NULL AS former_surname,
    p.date_of_birth AS birth_date, CASE upper(p.gender) WHEN 'M' THEN 'M' WHEN 'F' THEN 'F' END AS sex, NULL AS death_date,
    p.national_insurance_number AS nino, NULL AS nhs_number, p.phone_number AS phone, p.email_address AS email,
    CASE WHEN a.sensitive_data = 'Y' THEN 'restricted' END AS sensitivity,
    p.extract_date, p.valid_from, p.valid_to, p.loaded_run
FROM ${applicants} p
LEFT JOIN ${applications} a USING (application_ref)
