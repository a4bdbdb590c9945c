-- A living person of the risk view, banded (person_id).
WITH known AS (
    SELECT person_id, mode(age ORDER BY age DESC) AS age, mode(sex ORDER BY sex) AS sex, min(death_date) AS death_date
    FROM risk_member
    GROUP BY person_id
),

aged AS (
    -- least() passes over nulls, so an unknown age has to be kept apart
    SELECT *, CASE WHEN age IS NOT NULL THEN (least(age, 90) // ${band} * ${band})::INTEGER END AS age_from
    FROM known
)

SELECT aged.person_id, home.household_id, home.property_id, aged.age_from, ${age_words} AS age_band, aged.sex,
       home.ward_code, home.ward, home.lsoa, home.imd_decile,
       link.records::INTEGER AS records, link.sources::INTEGER AS sources,
       CASE WHEN link.records = 1 THEN 'single record'
            WHEN link.weakest >= ${high_link_weight} THEN 'high'
            WHEN link.weakest >= ${medium_link_weight} THEN 'medium'
            ELSE 'low' END AS link_quality
FROM aged
JOIN risk_link AS link USING (person_id)
LEFT JOIN risk_home AS home USING (person_id)
WHERE aged.death_date IS NULL OR aged.death_date > today()
ORDER BY aged.person_id
