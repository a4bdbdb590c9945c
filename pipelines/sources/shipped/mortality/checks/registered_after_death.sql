-- one row per death with both dates; fails if registered before it happened
SELECT record_no, reg_date < date_of_death AS fails
FROM ${mortality}
WHERE reg_date IS NOT NULL AND date_of_death IS NOT NULL
