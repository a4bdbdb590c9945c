-- one row per badge, permit or pass: the address that it was issued to
SELECT
    'permits:' || badge_number AS address_id, badge_number AS address_key,
    nullif(concat_ws(', ', building_street, line2, town_city), '') AS address_text, post_code AS postcode,
    NULL::BIGINT AS uprn_given, NULL AS xref_source, NULL AS xref_key, extract_date, valid_from, valid_to, loaded_run
FROM ${blue_badges} QUALIFY row_number() OVER (PARTITION BY badge_number ORDER BY extract_date DESC, valid_from DESC) = 1
UNION ALL
SELECT
    'permits:' || permit_no, permit_no, nullif(concat_ws(', ', address1, address2, address3), ''), postcode,
    whole_uprn(uprn), NULL, NULL, extract_date, valid_from, valid_to, loaded_run
FROM ${parking_permits} QUALIFY row_number() OVER (PARTITION BY permit_no ORDER BY extract_date DESC, valid_from DESC) = 1
UNION ALL
SELECT
    'permits:' || pass_no, pass_no, nullif(concat_ws(', ', address1, address2, address3), ''), postcode,
    whole_uprn(uprn), NULL, NULL, extract_date, valid_from, valid_to, loaded_run
FROM ${bus_passes} QUALIFY row_number() OVER (PARTITION BY pass_no ORDER BY extract_date DESC, valid_from DESC) = 1
