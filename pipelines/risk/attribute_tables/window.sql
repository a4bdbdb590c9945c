-- What the purpose may read of persons, as temporary tables: each value as the contracts let it pass, dates by month.
CREATE OR REPLACE TEMP MACRO today() AS DATE '${as_of}';
CREATE OR REPLACE TEMP MACRO month_of(day) AS date_trunc('month', day)::DATE;

-- record of a person in the risk view (record_id)
CREATE OR REPLACE TEMP TABLE risk_member AS
SELECT r.record_id, m.person_id, r.source, ${age} AS age, ${sex} AS sex, ${death_date} AS death_date
FROM identity.linkage.membership AS m
JOIN identity.people.record AS r USING (record_id)
WHERE m.view = 'risk' AND r.source IN (${sources}) AND coalesce(r.sensitivity, '') NOT IN (${withheld});

-- the home of a person: the newest stay in a household, else the newest current address; a place as finely as it passes (person_id)
CREATE OR REPLACE TEMP TABLE risk_home AS
WITH stay AS (
    SELECT member.person_id, member.household_id, household.uprn, member.from_date
    FROM identity.linkage.household_member AS member
    JOIN identity.linkage.household AS household USING (view, household_id)
    WHERE member.view = 'risk' AND member.to_date IS NULL AND household.to_date IS NULL
    QUALIFY row_number() OVER (
        PARTITION BY member.person_id ORDER BY member.from_date DESC NULLS LAST, member.household_id) = 1
),

held AS (
    SELECT risk_member.person_id, a.uprn
    FROM identity.people.record_address AS a
    JOIN risk_member USING (record_id)
    WHERE a.is_current AND a.uprn IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY risk_member.person_id ORDER BY a.from_date DESC NULLS LAST, a.uprn) = 1
)

SELECT person_id, stay.household_id, property_id.property_id, ${place}
FROM (SELECT DISTINCT person_id FROM risk_member)
LEFT JOIN stay USING (person_id)
LEFT JOIN held USING (person_id)
LEFT JOIN identity.places.property AS place ON place.uprn = coalesce(stay.uprn, held.uprn)
LEFT JOIN identity.linkage.property_id AS property_id ON property_id.uprn = coalesce(stay.uprn, held.uprn);

-- a stay of a person in a household (household_id, person_id, from_date)
CREATE OR REPLACE TEMP TABLE risk_stay AS
SELECT household_id, person_id, from_date, to_date FROM identity.linkage.household_member WHERE view = 'risk';

-- how well a person's records hold together: the weakest of their records' best links, in bits (person_id)
CREATE OR REPLACE TEMP TABLE risk_link AS
WITH best AS (
    SELECT l.record_id, l.person_id, max(edge.match_weight) AS match_weight
    FROM risk_member AS l
    JOIN (
        SELECT record_l AS record_id, record_r AS kin_id, match_weight FROM ${edge}
        UNION ALL
        SELECT record_r, record_l, match_weight FROM ${edge}
    ) AS edge ON edge.record_id = l.record_id
    JOIN risk_member AS r ON r.record_id = edge.kin_id AND r.person_id = l.person_id
    GROUP BY ALL
)

SELECT risk_member.person_id, count(*) AS records, count(DISTINCT risk_member.source) AS sources,
       min(best.match_weight) AS weakest
FROM risk_member
LEFT JOIN best USING (record_id)
GROUP BY ALL;
