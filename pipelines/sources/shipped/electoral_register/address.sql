-- one row per elector's registered address
SELECT
    'electoral_register:' || elector_id AS address_id, elector_id AS address_key,
    nullif(concat_ws(', ', property_address_1, property_address_2, property_address_3, property_address_4), '') AS address_text,
    property_post_code AS postcode,
    whole_uprn(property_urn) AS uprn_given, CASE WHEN property_ref IS NOT NULL THEN '1590ER' END AS xref_source, property_ref AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${register}
QUALIFY row_number() OVER (PARTITION BY elector_id ORDER BY extract_date DESC, valid_from DESC) = 1
