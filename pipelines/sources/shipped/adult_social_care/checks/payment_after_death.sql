-- one row per payment; fails if its weeks begin after the person died
WITH paid AS (SELECT payment_ref, person_id, period_start FROM ${direct_payments} UNION ALL SELECT payment_ref, person_id, period_start FROM ${care_home_payments})
SELECT payment_ref, period_start > date_of_death AS fails
FROM paid LEFT JOIN ${persons} USING (person_id)
