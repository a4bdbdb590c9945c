-- A person on a benefit claim, by month, award rounded to five pounds (person_id, kind, role, from_month).
SELECT DISTINCT person_id, claim.kind, claim.role, claim.is_live, month_of(claim.from_date) AS from_month,
       month_of(claim.to_date) AS to_month, (round(claim.weekly_award / 5) * 5)::INTEGER AS weekly_award
FROM claim
WHERE person_id IS NOT NULL
ORDER BY ALL
