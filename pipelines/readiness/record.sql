-- One row per record of a person in the view, with what it lacks, how far it could get, and the groups of its person.
-- Grain: record_id.
CREATE OR REPLACE TEMP TABLE readiness_record AS
WITH member AS (
    SELECT m.record_id, hash(m.person_id) AS cluster   -- a number: what follows joins on it over and over
    FROM identity.linkage.membership m WHERE m.view = '${view}'
), told AS (   -- what any record of the person says of their age and sex
    SELECT cluster, min(birth_date) FILTER (NOT weak_birth_date) AS born, min(sex) AS sex
    FROM member JOIN identity.people.record r USING (record_id) GROUP BY cluster
)
SELECT r.record_id, r.source, r.source_key, r.role, m.cluster, r.one_person_key, r.home_key, r.initial, r.surname_key, r.birth_date,
    r.is_child, ${lacks},
    ${reach} AS reach,
    date_diff('year', t.born, DATE '${day}') AS years, t.sex AS person_sex, ${ward} AS ward
FROM identity.people.record r JOIN member m USING (record_id) JOIN told t USING (cluster)
${places}
WHERE r.is_person;
