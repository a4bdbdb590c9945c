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
UNION ALL
-- the flat file says where, not since when
SELECT
    record_id, 'council_tax:account/' || account_reference, NULL, NULL, 'liable', extract_date, valid_from, valid_to, loaded_run
FROM (SELECT *, concat_ws(' ', title, forename, surname) AS liab_name FROM ${nfi_council_tax})
WHERE ${party_kind} IN ('person', 'executors')
UNION ALL
SELECT
    'council_tax:' || account_reference || '/2#1', 'council_tax:account/' || account_reference, NULL, NULL, 'liable',
    extract_date, valid_from, valid_to, loaded_run
FROM (SELECT *, concat_ws(' ', other_title, other_forename, other_surname) AS liab_name FROM ${nfi_council_tax})
WHERE other_surname IS NOT NULL AND ${party_kind} IN ('person', 'executors')
QUALIFY row_number() OVER (PARTITION BY account_reference ORDER BY extract_date DESC, valid_from DESC) = 1
