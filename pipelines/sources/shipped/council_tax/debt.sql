-- one row per liable person and year of an account in recovery: who was liable in that year owes it, together with the others
SELECT
    d.account_ref || '/' || d.fin_year AS debt_ref, l.record_id, 'council_tax:' || o.property_ref AS address_id,
    'council_tax' AS kind, d.charge AS amount, d.balance,
    CASE d.recovery_stage
        WHEN 'REM' THEN 'reminder' WHEN 'FIN' THEN 'notice' WHEN 'SUM' THEN 'summons' WHEN 'LO' THEN 'court_order'
        WHEN 'ARR' THEN 'arrangement' WHEN 'EA' THEN 'enforcement' WHEN 'CH' THEN 'enforcement'
    END AS stage,
    d.stage_date, d.raised_date AS from_date, d.cleared_date AS to_date,
    d.extract_date, d.valid_from, d.valid_to, d.loaded_run
FROM ${ctarrears} d
LEFT JOIN (
    SELECT account_ref, max_by(property_ref, (extract_date, valid_from, property_ref)) AS property_ref FROM ${ctoccupation} GROUP BY ALL
) o USING (account_ref)
LEFT JOIN (
    SELECT account_ref, record_id, liab_from, nullif(liab_to, DATE '2099-12-31') AS liab_to
    FROM ${ctliable} WHERE ${party_kind} IN ('person', 'executors')
) l ON l.account_ref = d.account_ref
    AND coalesce(l.liab_from <= make_date(d.fin_year + 1, 3, 31), true) AND coalesce(l.liab_to >= make_date(d.fin_year, 4, 1), true)
