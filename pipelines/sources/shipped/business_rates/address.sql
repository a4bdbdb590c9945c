-- one row per account (where its bills go), and one per hereditament
WITH shop AS (
    SELECT property_ref, postcode AS shop_postcode, concat_ws(', ', addr1, addr2, addr3, addr4) AS shop_text
    FROM ${ndrproperty}
    QUALIFY row_number() OVER (PARTITION BY property_ref ORDER BY extract_date DESC, valid_from DESC) = 1
)
SELECT
    'business_rates:' || account_ref AS address_id, account_ref AS address_key,
    nullif(concat_ws(', ', corr_addr1, corr_addr2, corr_addr3, corr_addr4), '') AS address_text, corr_postcode AS postcode,
    NULL::BIGINT AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    -- who trades alone is billed at home, unless the bill goes to the very door of the shop (56 is not the home 56A above)
    liab_kind <> 'S' OR coalesce(
        corr_postcode = shop_postcode AND regexp_replace(upper(address_text), '([0-9]+[A-Z]?)\b.*', '\1')
            = regexp_replace(upper(shop_text), '([0-9]+[A-Z]?)\b.*', '\1'), false) AS no_home,
    a.extract_date, a.valid_from, a.valid_to, a.loaded_run
FROM ${ndraccount} a
LEFT JOIN shop USING (property_ref)
QUALIFY row_number() OVER (PARTITION BY account_ref ORDER BY a.extract_date DESC, a.valid_from DESC) = 1
UNION ALL
SELECT
    'business_rates:' || property_ref, property_ref,
    nullif(concat_ws(', ', addr1, addr2, addr3, addr4), ''), postcode,
    whole_uprn(uprn), NULL, NULL,
    true,
    extract_date, valid_from, valid_to, loaded_run
FROM ${ndrproperty}
