-- one row: overpayments, and those of which more is outstanding than was paid too much
SELECT count(*) AS rows, count(*) FILTER (WHERE outstanding > amount) AS failures
FROM ${hboverpayment}
WHERE outstanding IS NOT NULL AND amount IS NOT NULL
