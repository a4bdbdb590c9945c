-- one row per account of a person who trades alone: where the bills go, mostly their home, sometimes the shop
SELECT
    record_id, 'business_rates:' || account_ref AS address_id, liab_from AS from_date, liab_to AS to_date, 'contact' AS basis,
    extract_date, valid_from, valid_to, loaded_run
FROM ${ndraccount}
WHERE liab_kind = 'S'
