-- one row per application: the home to be bought, where its tenants live
SELECT
    'right_to_buy:' || rtb_ref AS address_id, rtb_ref AS address_key,
    property_address AS address_text, post_code AS postcode,
    whole_uprn(uprn) AS uprn_given, NULL AS xref_source, NULL AS xref_key,
    extract_date, valid_from, valid_to, loaded_run
FROM ${rtb}
QUALIFY row_number() OVER (PARTITION BY rtb_ref ORDER BY extract_date DESC, valid_from DESC, applicant_no) = 1
