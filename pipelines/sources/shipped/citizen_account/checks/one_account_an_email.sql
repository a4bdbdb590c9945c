-- one row per account with an e-mail address; fails if another account gives it too
SELECT account_id, count(*) OVER (PARTITION BY lower(email)) > 1 AS fails FROM ${accounts} WHERE email IS NOT NULL
