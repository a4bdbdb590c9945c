-- one row: claims, and those in which no member is the claimant
SELECT count(*) AS rows, count(*) FILTER (WHERE c.claim_id IS NULL) AS failures
FROM ${hbclaim}
LEFT JOIN (SELECT DISTINCT claim_id FROM ${hbmember} WHERE relationship = 'C') c USING (claim_id)
