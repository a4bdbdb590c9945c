-- one row per home of a claim
SELECT
    'benefits:' || key_part(claim_id) || '/' || key_part(house_id) AS address_id, key_part(claim_id) || '/' || key_part(house_id) AS address_key,
    nullif(concat_ws(', ', addr1, addr2, addr3, addr4), '') AS address_text, post_code AS postcode,
    whole_uprn(uprn) AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${hbhousehold}
