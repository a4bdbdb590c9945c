-- A factor of a person of the scored population, with the newest month that it rests on (person_id, factor).
-- Everything before the index month; nothing from it or after it.
WITH population AS (
    SELECT person_id, household_id, age_from, imd_decile
    FROM attributes.attributes.person AS person
    WHERE (age_from >= 20 OR (age_from IS NULL AND EXISTS (
        FROM attributes.attributes.service_flag AS adult
        WHERE adult.person_id = person.person_id
            AND adult.service IN ('council_tax_liable', 'adult_social_care') AND adult.from_month < ${index}
    ))) AND person_id NOT IN (
        SELECT person_id
        FROM attributes.attributes.care_episode
        WHERE event_type = 'service' AND service_type ILIKE 'long term%'
            AND from_month < ${index} AND (to_month IS NULL OR to_month >= ${index})
    )
),

service AS (
    SELECT person_id, service, max(from_month) AS month
    FROM attributes.attributes.service_flag
    WHERE from_month < ${index} AND (to_month IS NULL OR to_month >= ${index})
    GROUP BY ALL
),

-- who shared the household in the month before the index; a stay of unknown beginning had begun
companion AS (
    SELECT mine.person_id, count(DISTINCT theirs.person_id) AS adults, max(mine.from_month) AS month
    FROM attributes.attributes.household_member AS mine
    JOIN attributes.attributes.household_member AS theirs USING (household_id)
    JOIN attributes.attributes.person AS other ON other.person_id = theirs.person_id
    WHERE coalesce(mine.from_month < ${index}, true) AND (mine.to_month IS NULL OR mine.to_month >= ${index})
        AND coalesce(theirs.from_month < ${index}, true) AND (theirs.to_month IS NULL OR theirs.to_month >= ${index})
        AND (other.age_from >= 20 OR other.age_from IS NULL)
    GROUP BY mine.person_id
),

alone AS (
    SELECT person_id, coalesce(greatest(companion.month, service.month), companion.month, service.month) AS month
    FROM (SELECT * FROM companion WHERE adults = 1) AS companion
    FULL JOIN (SELECT * FROM service WHERE service = 'single_person_discount') AS service USING (person_id)
),

care AS (
    SELECT person_id, CASE WHEN event_type = 'request' THEN 'care_request'
                           WHEN event_type = 'assessment' THEN 'care_assessment'
                           WHEN event_type = 'service' AND service_type ILIKE 'short term%' THEN 'short_term_support'
                           END AS factor, max(from_month) AS month
    FROM attributes.attributes.care_episode
    WHERE from_month < ${index}
    GROUP BY ALL
)

-- everyone has a row, also those of whom no age is known: they gain no points for it
SELECT person_id, 'age_from' AS factor, age_from::DOUBLE AS value, NULL::DATE AS evidence_month FROM population
UNION ALL
SELECT person_id, 'imd_decile', imd_decile, NULL FROM population WHERE imd_decile IS NOT NULL
UNION ALL
SELECT person_id, 'lives_alone', 1, alone.month FROM population JOIN alone USING (person_id)
UNION ALL
SELECT person_id, 'lives_alone_at_80', 1, alone.month FROM population JOIN alone USING (person_id) WHERE age_from >= 80
UNION ALL
SELECT person_id, care.factor, date_diff('month', care.month, ${index}) - 1, care.month
FROM population JOIN care USING (person_id) WHERE care.factor IS NOT NULL
UNION ALL
SELECT person_id, 'means_tested', 1, max(service.month)
FROM population JOIN service USING (person_id)
WHERE service.service IN ('housing_benefit', 'council_tax_reduction') GROUP BY person_id
UNION ALL
SELECT person_id, 'social_tenancy', 1, service.month
FROM population JOIN service USING (person_id) WHERE service.service = 'social_tenancy'
