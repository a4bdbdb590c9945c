-- one row per account of a person who trades alone, and occupant; the name of the shop is no name of a person
SELECT
    record_id, account_ref AS source_key, occupant, 'ratepayer' AS role,
    NULL AS title, NULL AS forename, NULL AS middle, NULL AS surname,
    trim(regexp_replace(liab_name, '\s+T/?A\s.*', '', 'i')) AS name_text, NULL AS former_surname,
    NULL AS birth_date, NULL AS sex, NULL AS death_date,
    NULL AS nino, NULL AS nhs_number, phone, email, NULL AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${ndraccount}
WHERE liab_kind = 'S'
