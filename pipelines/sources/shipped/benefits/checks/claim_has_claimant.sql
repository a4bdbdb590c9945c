-- one row per claim; fails if no member is the claimant
SELECT claim_id, c.claim_id IS NULL AS fails
FROM ${hbclaim}
LEFT JOIN (SELECT DISTINCT claim_id FROM ${hbmember} WHERE relationship = 'C') c USING (claim_id)
