-- one row per person who married and occupant: under the name borne after where it was told, else under the one before
SELECT
    record_id, key_part(marriage_id) || '/' || key_part(party_no) AS source_key, occupant, 'spouse' AS role,
    NULL AS title, split_part(forenames, ' ', 1) AS forename,
    nullif(trim(regexp_replace(forenames, '^\S+', '')), '') AS middle,
    coalesce(surname_after, surname) AS surname, NULL AS name_text,
    CASE WHEN upper(surname_after) <> upper(surname) THEN surname END AS former_surname,
    date_of_birth AS birth_date, NULL AS sex, NULL AS death_date,
    NULL AS nino, NULL AS nhs_number, NULL AS phone, NULL AS email, NULL AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${parties}
