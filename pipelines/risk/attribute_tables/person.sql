-- A living person of the risk view, banded (person_id).
WITH known AS (
    SELECT person_id, mode(birth_date ORDER BY birth_date) AS birth_date, mode(sex ORDER BY sex) AS sex, min(death_date) AS death_date
    FROM risk_member
    GROUP BY person_id
),

aged AS (
    -- least() passes over nulls, so an unknown age has to be kept apart
    SELECT *, CASE WHEN birth_date IS NOT NULL
                   THEN (least(date_sub('year', birth_date, today()), 90) // 5 * 5)::INTEGER END AS age_from
    FROM known
)

SELECT aged.person_id, home.household_id, property_id.property_id, aged.age_from,
       CASE WHEN aged.age_from >= 90 THEN '90+'
            WHEN aged.age_from IS NOT NULL THEN printf('%02d-%02d', aged.age_from, aged.age_from + 4)
            ELSE 'not known' END AS age_band,
       aged.sex, place.ward_code, place.ward, place.lsoa, place.imd_decile,
       link.records::INTEGER AS records, link.sources::INTEGER AS sources,
       CASE WHEN link.records = 1 THEN 'single record'
            WHEN link.weakest >= ${high_link_weight} THEN 'high'
            WHEN link.weakest >= ${medium_link_weight} THEN 'medium'
            ELSE 'low' END AS link_quality
FROM aged
JOIN risk_link AS link USING (person_id)
LEFT JOIN risk_home AS home USING (person_id)
LEFT JOIN identity.linkage.property_id AS property_id ON property_id.uprn = home.uprn
LEFT JOIN identity.places.property AS place ON place.uprn = home.uprn
WHERE aged.death_date IS NULL OR aged.death_date > today()
ORDER BY aged.person_id
