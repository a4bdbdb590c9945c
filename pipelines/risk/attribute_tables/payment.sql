-- Payments for a person by kind and month, rounded to fifty pounds (person_id, kind, from_month).
SELECT person_id, payment.kind, month_of(payment.from_date) AS from_month,
       (round(sum(payment.amount) / 50) * 50)::INTEGER AS amount
FROM payment
WHERE person_id IS NOT NULL
GROUP BY ALL
ORDER BY ALL
