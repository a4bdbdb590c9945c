-- Activity of a person by kind, unit and month: how many, and how much (person_id, kind, unit, from_month, to_month).
SELECT person_id, activity.kind, activity.unit, month_of(activity.from_date) AS from_month,
       month_of(activity.to_date) AS to_month, count(*) AS times, round(sum(activity.quantity))::INTEGER AS quantity
FROM activity
WHERE person_id IS NOT NULL
GROUP BY ALL
ORDER BY ALL
