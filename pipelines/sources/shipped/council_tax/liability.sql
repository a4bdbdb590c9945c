-- one row per liable party of one account at one dwelling
SELECT
    l.account_ref, CASE WHEN ${party_kind} IN ('person', 'executors') THEN l.record_id END AS record_id,
    'council_tax:' || o.property_ref AS address_id,
    CASE liab_pos
        WHEN '1' THEN 'joint' WHEN '2' THEN 'freeholder' WHEN '3' THEN 'leaseholder' WHEN '4' THEN 'tenant'
        WHEN '5' THEN 'licensee' WHEN '6' THEN 'resident' WHEN '7' THEN 'owner' ELSE 'other'
    END AS position,
    ${party_kind} AS party_kind,
    p.band,
    greatest(l.liab_from, o.occupation_date) AS from_date,
    least(nullif(l.liab_to, DATE '2099-12-31'), nullif(o.vacation_date, DATE '2099-12-31')) AS to_date,
    o.live_ind = '1' AND o.valid_to IS NULL
        AND coalesce(nullif(o.vacation_date, DATE '2099-12-31') > o.extract_date, true)
        AND coalesce(nullif(l.liab_to, DATE '2099-12-31') > l.extract_date, true) AS is_live,
    l.extract_date, l.valid_from, l.valid_to, l.loaded_run
FROM ${ctliable} l
JOIN ${ctoccupation} o ON o.account_ref = l.account_ref
    AND coalesce(l.liab_from <= o.vacation_date, true) AND coalesce(o.occupation_date <= l.liab_to, true)
LEFT JOIN ${ctproperty} p ON p.property_ref = o.property_ref
UNION ALL
-- the flat file holds live accounts only
SELECT
    account_reference, CASE WHEN ${party_kind} IN ('person', 'executors') THEN record_id END,
    'council_tax:account/' || account_reference, 'other', ${party_kind}, band, NULL::DATE, NULL::DATE, valid_to IS NULL,
    extract_date, valid_from, valid_to, loaded_run
FROM (SELECT *, concat_ws(' ', title, forename, surname) AS liab_name FROM ${nfi_council_tax})
UNION ALL
SELECT
    account_reference, CASE WHEN ${party_kind} IN ('person', 'executors') THEN 'council_tax:' || account_reference || '/2#1' END,
    'council_tax:account/' || account_reference, 'joint', ${party_kind}, band, NULL::DATE, NULL::DATE, valid_to IS NULL,
    extract_date, valid_from, valid_to, loaded_run
FROM (SELECT *, concat_ws(' ', other_title, other_forename, other_surname) AS liab_name FROM ${nfi_council_tax})
WHERE other_surname IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY account_reference ORDER BY extract_date DESC, valid_from DESC) = 1
