-- one row: e-mail addresses of accounts, and those that more than one account gives
SELECT count(*) AS rows, count(*) FILTER (WHERE accounts > 1) AS failures
FROM (SELECT lower(email), count(*) AS accounts FROM ${accounts} WHERE email IS NOT NULL GROUP BY ALL)
