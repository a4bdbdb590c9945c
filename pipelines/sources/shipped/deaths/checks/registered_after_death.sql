-- one row per death with both dates; fails if registered before it happened
SELECT registration_id, registered_date < date_of_death AS fails
FROM ${deaths}
WHERE registered_date IS NOT NULL AND date_of_death IS NOT NULL
