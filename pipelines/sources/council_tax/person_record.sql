-- one row per liable person's slot and occupant; companies and unnamed occupiers are no persons
SELECT
    record_id, account_ref || '/' || liab_pers_occ || '/' || party_ref AS source_key, occupant,
    'liable' AS role,
    NULL AS title, NULL AS forename, NULL AS middle, NULL AS surname,
    liab_name AS name_text, NULL AS former_surname,
    liab_dob AS birth_date, NULL AS sex, NULL AS death_date,
    NULL AS nino, NULL AS nhs_number, NULL AS phone, NULL AS email, NULL AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${ctliable}
WHERE ${party_kind} IN ('person', 'executors')
