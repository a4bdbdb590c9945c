-- A care event of a person, by month, cost rounded to ten pounds (person_id, event_type, service_type, from_month).
SELECT DISTINCT person_id, care_episode.event_type, care_episode.service_type, care_episode.component,
       care_episode.support_reason, care_episode.accommodation, care_episode.funding, care_episode.outcome,
       month_of(care_episode.from_date) AS from_month, month_of(care_episode.to_date) AS to_month,
       (round(care_episode.weekly_cost / 10) * 10)::INTEGER AS weekly_cost
FROM care_episode
WHERE person_id IS NOT NULL
ORDER BY ALL
