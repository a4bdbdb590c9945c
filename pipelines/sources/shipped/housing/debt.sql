-- one row per named tenant and rent account in arrears
SELECT
    d.tag_ref AS debt_ref, m.record_id, 'housing:' || t.prop_ref AS address_id, 'rent' AS kind,
    NULL AS amount, d.balance,
    CASE d.arrears_stage WHEN '1' THEN 'reminder' WHEN '2' THEN 'notice' WHEN '3' THEN 'court_order' WHEN '4' THEN 'enforcement' END AS stage,
    d.stage_date, d.arrears_since AS from_date, NULL AS to_date,
    d.extract_date, d.valid_from, d.valid_to, d.loaded_run
FROM ${rentaccount} d
JOIN ${tenagree} t USING (tag_ref)
LEFT JOIN ${member} m ON m.house_ref = t.house_ref AND m.responsible = '1'
WHERE d.balance > 0
