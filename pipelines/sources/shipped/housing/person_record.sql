-- one row per member of a tenancy's household and occupant
SELECT
    record_id, key_part(house_ref) || '/' || key_part(person_no) AS source_key, occupant,
    CASE WHEN responsible = '1' THEN 'tenant' ELSE 'household' END AS role,
    title, coalesce(forename, initials) AS forename, NULL AS middle, surname, NULL AS name_text, NULL AS former_surname,
    dob AS birth_date, CASE upper(gender) WHEN 'M' THEN 'M' WHEN 'F' THEN 'F' END AS sex, NULL AS death_date,
    ni_no AS nino, NULL AS nhs_number, phone, email,
    CASE marker WHEN 'GRC' THEN 'gender_recognition' WHEN 'REF' THEN 'refuge' WHEN 'RES' THEN 'restricted' WHEN 'STF' THEN 'staff'
    END AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${member}
