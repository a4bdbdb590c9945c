-- one row per occupation with both dates; fails if it ends before it begins
SELECT account_ref, property_ref, vacation_date < occupation_date AS fails
FROM ${ctoccupation}
WHERE vacation_date IS NOT NULL AND occupation_date IS NOT NULL
