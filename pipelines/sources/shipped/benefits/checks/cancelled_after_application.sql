-- one row per claim with both dates; fails if it was cancelled before it was made
SELECT claim_id, cancel_date < application_date AS fails
FROM ${hbclaim}
WHERE cancel_date IS NOT NULL AND application_date IS NOT NULL
