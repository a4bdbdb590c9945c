-- one row per overpayment; fails if more is outstanding than was paid too much
SELECT overpayment_ref, outstanding > amount AS fails
FROM ${hboverpayment}
WHERE outstanding IS NOT NULL AND amount IS NOT NULL
