-- one row per account: the address that its holder gave last
SELECT
    'citizen_account:' || account_id AS address_id, account_id AS address_key,
    nullif(concat_ws(', ', address_line_1, address_line_2, address_line_3), '') AS address_text, postcode,
    whole_uprn(uprn) AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${accounts}
QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY extract_date DESC, valid_from DESC) = 1
