-- one row per account: at the address since its holder last looked over the details
SELECT
    record_id, 'citizen_account:' || account_id AS address_id, details_updated_at AS from_date, NULL AS to_date, 'contact' AS basis,
    extract_date, valid_from, valid_to, loaded_run
FROM ${accounts}
