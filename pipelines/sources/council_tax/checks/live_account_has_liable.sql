-- one row: live accounts, and those without any liable person
SELECT count(DISTINCT o.account_ref) AS rows,
       count(DISTINCT o.account_ref) FILTER (WHERE l.account_ref IS NULL) AS failures
FROM ${ctoccupation} o
LEFT JOIN ${ctliable} l USING (account_ref)
WHERE o.live_ind = '1'
