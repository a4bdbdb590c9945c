-- one row per liable person and dwelling of the account: liability and occupation must overlap
SELECT
    l.record_id, 'council_tax:' || o.property_ref AS address_id,
    greatest(l.liab_from, o.occupation_date) AS from_date,
    least(nullif(l.liab_to, DATE '2099-12-31'), nullif(o.vacation_date, DATE '2099-12-31')) AS to_date,
    'liable' AS basis,
    l.extract_date, l.valid_from, l.valid_to, l.loaded_run
FROM ${ctliable} l
JOIN ${ctoccupation} o ON o.account_ref = l.account_ref
    AND coalesce(l.liab_from <= o.vacation_date, true) AND coalesce(o.occupation_date <= l.liab_to, true)
WHERE ${party_kind} IN ('person', 'executors')
