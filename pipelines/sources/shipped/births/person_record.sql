-- one row per person named in a registration and occupant
SELECT
    record_id, key_part(registration_id) || '/' || key_part(party) AS source_key, occupant,
    CASE party WHEN 'C' THEN 'child' WHEN 'M' THEN 'mother' ELSE 'father' END AS role,
    NULL AS title, split_part(forenames, ' ', 1) AS forename,
    nullif(trim(regexp_replace(forenames, '^\S+', '')), '') AS middle, surname,
    NULL AS name_text, maiden_surname AS former_surname, date_of_birth AS birth_date,
    CASE WHEN party = 'M' THEN 'F' WHEN upper(left(sex, 1)) IN ('M', 'F') THEN upper(left(sex, 1)) END AS sex,
    NULL AS death_date, NULL AS nino, NULL AS nhs_number, NULL AS phone, NULL AS email, NULL AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${parties}
