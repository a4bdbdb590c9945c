-- one row: completed sales, and those without a discount
SELECT count(*) AS rows, count(*) FILTER (WHERE discount_awarded IS NULL) AS failures
FROM ${rtb}
WHERE stage = 'COMPLETED'
