-- A stay of a person in a household of the risk view, by month (household_id, person_id, from_month).
SELECT DISTINCT household_id, person_id, month_of(from_date) AS from_month, month_of(to_date) AS to_month
FROM risk_stay
ORDER BY ALL
