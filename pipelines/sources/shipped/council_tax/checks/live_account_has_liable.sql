-- one row per live account; fails without any liable person
SELECT account_ref, bool_and(l.account_ref IS NULL) AS fails
FROM ${ctoccupation} o
LEFT JOIN ${ctliable} l USING (account_ref)
WHERE o.live_ind = '1'
GROUP BY account_ref
