-- one row per account and occupant; an e-mail address that never answered a message is no contact
SELECT
    record_id, account_id AS source_key, occupant, 'account_holder' AS role,
    title, first_name AS forename, NULL AS middle, last_name AS surname, NULL AS name_text, NULL AS former_surname,
    date_of_birth AS birth_date, NULL AS sex, NULL AS death_date,
    NULL AS nino, NULL AS nhs_number, mobile AS phone, CASE WHEN email_verified = 'true' THEN email END AS email, NULL AS sensitivity,
    extract_date, valid_from, valid_to, loaded_run
FROM ${accounts}
