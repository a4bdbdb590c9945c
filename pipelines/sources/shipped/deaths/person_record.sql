-- one row per registered death: the person who died
SELECT
    record_id, registration_id AS source_key, occupant, 'deceased' AS role,
    title, split_part(forenames, ' ', 1) AS forename,
    nullif(trim(regexp_replace(forenames, '^\S+', '')), '') AS middle, surname,
    NULL AS name_text, maiden_surname AS former_surname,
    date_of_birth AS birth_date, CASE WHEN upper(left(sex, 1)) IN ('M', 'F') THEN upper(left(sex, 1)) END AS sex,
    date_of_death AS death_date,
    NULL AS nino, NULL AS nhs_number, NULL AS phone, NULL AS email, NULL AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${deaths}
