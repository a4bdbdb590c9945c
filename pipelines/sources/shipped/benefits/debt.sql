-- one row per overpayment: the claimant owes it, from the newest home of the claim
SELECT
    d.overpayment_ref AS debt_ref, c.record_id, c.address_id, 'benefit_overpayment' AS kind,
    d.amount, d.outstanding AS balance,
    CASE d.recovery_code WHEN 'DED' THEN 'deduction' WHEN 'INV' THEN 'notice' WHEN 'REM' THEN 'reminder' WHEN 'DEA' THEN 'deduction' END
        AS stage,
    d.recovery_date AS stage_date, d.created_date AS from_date, d.cleared_date AS to_date,
    d.extract_date, d.valid_from, d.valid_to, d.loaded_run
FROM ${hboverpayment} d
LEFT JOIN (
    SELECT claim_id, record_id, 'benefits:' || key_part(claim_id) || '/' || key_part(house_id) AS address_id
    FROM ${hbmember} WHERE relationship = 'C'
    QUALIFY row_number() OVER (
        PARTITION BY claim_id ORDER BY extract_date DESC, TRY_CAST(house_id AS INTEGER) DESC, house_id DESC, member_id) = 1
) c USING (claim_id)
