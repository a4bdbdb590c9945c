-- one row per rent account in recovery; fails if it owes nothing
SELECT tag_ref, coalesce(balance, 0) <= 0 AS fails
FROM ${rentaccount}
WHERE arrears_stage <> '0'
