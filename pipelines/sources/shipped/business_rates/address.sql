-- one row per account (where its bills go), and one per hereditament
SELECT
    'business_rates:' || account_ref AS address_id, account_ref AS address_key,
    nullif(concat_ws(', ', corr_addr1, corr_addr2, corr_addr3, corr_addr4), '') AS address_text, corr_postcode AS postcode,
    NULL::BIGINT AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    liab_kind <> 'S' AS no_home,
    extract_date, valid_from, valid_to, loaded_run
FROM ${ndraccount}
QUALIFY row_number() OVER (PARTITION BY account_ref ORDER BY extract_date DESC, valid_from DESC) = 1
UNION ALL
SELECT
    'business_rates:' || property_ref, property_ref,
    nullif(concat_ws(', ', addr1, addr2, addr3, addr4), ''), postcode,
    whole_uprn(uprn), NULL, NULL,
    true,
    extract_date, valid_from, valid_to, loaded_run
FROM ${ndrproperty}
