-- one row per dwelling of the valuation list
SELECT
    'council_tax:' || property_ref AS address_id, property_ref AS address_key,
    nullif(concat_ws(', ', addr1, addr2, addr3, addr4), '') AS address_text, postcode,
    whole_uprn(uprn) AS uprn_given, '1590CT' AS xref_source, property_ref AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${ctproperty}
UNION ALL
-- one row per account of the flat file
SELECT
    'council_tax:account/' || account_reference, 'account/' || account_reference,
    nullif(concat_ws(', ', address1, address2, address3, address4), ''), postcode,
    whole_uprn(uprn), NULL, NULL, extract_date, valid_from, valid_to, loaded_run
FROM ${nfi_council_tax}
QUALIFY row_number() OVER (PARTITION BY account_reference ORDER BY extract_date DESC, valid_from DESC) = 1
