-- one row per completed sale; fails without a discount
SELECT rtb_ref, applicant_no, discount_awarded IS NULL AS fails
FROM ${rtb}
WHERE stage = 'COMPLETED'
