-- one row per person who married: the usual address on the day
SELECT
    'marriages:' || key_part(marriage_id) || '/' || key_part(party_no) AS address_id, key_part(marriage_id) || '/' || key_part(party_no) AS address_key,
    usual_address AS address_text, postcode,
    NULL AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${parties}
WHERE usual_address IS NOT NULL OR postcode IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY marriage_id, party_no ORDER BY extract_date DESC, valid_from DESC) = 1
