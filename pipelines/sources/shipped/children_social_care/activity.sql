-- one row per episode of need, protection plan and episode of care; the child's number is all that could lead to a person
SELECT
    'need/' || n.child_id || '/' || n.referred AS activity_ref, NULL AS record_id,
    CASE WHEN c.upn IS NOT NULL THEN 'upn' END AS subject_scheme, c.upn AS subject_number,
    'child_in_need' AS kind, n.need AS detail, NULL AS quantity, NULL AS unit, n.referred AS from_date, n.closed AS to_date,
    n.extract_date, n.valid_from, n.valid_to, n.loaded_run
FROM ${need} n JOIN ${child} c USING (child_id)
UNION ALL
SELECT
    'plan/' || p.child_id || '/' || p.started, NULL, CASE WHEN c.upn IS NOT NULL THEN 'upn' END, c.upn,
    'child_protection_plan', p.category, NULL, NULL, p.started, p.ended, p.extract_date, p.valid_from, p.valid_to, p.loaded_run
FROM ${plan} p JOIN ${child} c USING (child_id)
UNION ALL
SELECT
    'care/' || e.child || '/' || e.decom, NULL, CASE WHEN h.upn NOT LIKE 'UN%' THEN 'upn' END, CASE WHEN h.upn NOT LIKE 'UN%' THEN h.upn END,
    'looked_after', e.place, NULL, NULL, e.decom, e.dec, e.extract_date, e.valid_from, e.valid_to, e.loaded_run
FROM ${episodes} e JOIN ${header} h USING (child)
