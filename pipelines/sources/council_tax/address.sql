-- one row per dwelling of the valuation list
SELECT
    'council_tax:' || property_ref AS address_id, property_ref AS address_key,
    nullif(concat_ws(', ', addr1, addr2, addr3, addr4), '') AS address_text, postcode,
    whole_uprn(uprn) AS uprn_given, '1590CT' AS xref_source, property_ref AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${ctproperty}
