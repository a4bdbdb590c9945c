-- one row per liable person's slot and occupant; companies and unnamed occupiers are no persons
SELECT
    record_id, key_part(account_ref) || '/' || key_part(liab_pers_occ) || '/' || key_part(party_ref) AS source_key, occupant,
    'liable' AS role,
    NULL AS title, NULL AS forename, NULL AS middle, NULL AS surname,
    liab_name AS name_text, NULL AS former_surname,
    liab_dob AS birth_date, NULL AS sex, NULL AS death_date,
    NULL AS nino, NULL AS nhs_number, NULL AS phone, NULL AS email, NULL AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${ctliable}
WHERE ${party_kind} IN ('person', 'executors')
UNION ALL
-- one row per person of an account in the flat file; `other` is the second liable person, in a place that nobody else takes
SELECT
    record_id, account_reference, occupant, 'liable', title, forename, middle_name, surname, NULL, NULL,
    date_of_birth, NULL, NULL, NULL, NULL, NULL, NULL, NULL, extract_date, valid_from, valid_to, loaded_run
FROM (SELECT *, concat_ws(' ', title, forename, surname) AS liab_name FROM ${nfi_council_tax})
WHERE ${party_kind} IN ('person', 'executors')
UNION ALL
SELECT
    'council_tax:' || account_reference || '/2#1', account_reference || '/2', 1, 'liable',
    other_title, other_forename, other_middle_name, other_surname, NULL, NULL,
    other_date_of_birth, NULL, NULL, NULL, NULL, NULL, NULL, NULL, extract_date, valid_from, valid_to, loaded_run
FROM (SELECT *, concat_ws(' ', other_title, other_forename, other_surname) AS liab_name FROM ${nfi_council_tax})
WHERE other_surname IS NOT NULL AND ${party_kind} IN ('person', 'executors')
QUALIFY row_number() OVER (PARTITION BY account_reference ORDER BY extract_date DESC, valid_from DESC) = 1
