-- one row: rent accounts in recovery, and those that owe nothing
SELECT count(*) AS rows, count(*) FILTER (WHERE coalesce(balance, 0) <= 0) AS failures
FROM ${rentaccount}
WHERE arrears_stage <> '0'
