-- one row per person and claim, with the newest home that the person had in it
SELECT
    m.claim_id AS claim_ref, m.record_id, 'benefits:' || key_part(m.claim_id) || '/' || key_part(m.house_id) AS address_id,
    CASE m.relationship WHEN 'C' THEN 'claimant' WHEN 'P' THEN 'partner' WHEN 'D' THEN 'dependant' ELSE 'non_dependant' END AS role,
    CASE c.claim_type WHEN 'HB' THEN 'housing_benefit' WHEN 'CTR' THEN 'council_tax_reduction' WHEN 'BOTH' THEN 'both' END AS kind,
    coalesce(c.status_ind = '1' AND c.valid_to IS NULL, false) AS is_live,
    c.weekly_award, c.ctax_account_ref AS account_ref,
    c.application_date AS from_date, c.cancel_date AS to_date,
    m.extract_date, m.valid_from, m.valid_to, m.loaded_run
FROM ${hbmember} m
LEFT JOIN ${hbclaim} c USING (claim_id)
QUALIFY row_number() OVER (
    PARTITION BY m.record_id ORDER BY m.extract_date DESC, TRY_CAST(m.house_id AS INTEGER) DESC, m.house_id DESC, m.member_id) = 1
