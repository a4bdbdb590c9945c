-- one row per payment for care
SELECT
    c.payment_ref, p.record_id, 'direct_payment' AS kind, NULL AS payee_ref, c.period_start AS from_date, c.period_end AS to_date,
    c.amount::DECIMAL(12,2) AS amount, c.extract_date, c.valid_from, c.valid_to, c.loaded_run
FROM ${direct_payments} c LEFT JOIN ${persons} p USING (person_id)
UNION ALL
SELECT
    c.payment_ref, p.record_id, 'care_home', c.provider_ref, c.period_start, c.period_end, c.amount::DECIMAL(12,2),
    c.extract_date, c.valid_from, c.valid_to, c.loaded_run
FROM ${care_home_payments} c LEFT JOIN ${persons} p USING (person_id)
