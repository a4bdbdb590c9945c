-- whose activity it is in the risk view: the record's own person, or where nobody is named the one person who bears the number
-- (source, activity_ref)
CREATE OR REPLACE TEMP TABLE activity_person AS
WITH borne AS (
    SELECT 'nhs_number' AS scheme, r.nhs_number AS number, m.person_id
    FROM identity.people.record AS r JOIN risk_member AS m USING (record_id) WHERE r.nhs_number IS NOT NULL
    UNION
    SELECT 'upn', std_upn(i.number), m.person_id
    FROM identifier AS i JOIN risk_member AS m USING (record_id) WHERE i.scheme = 'upn' AND std_upn(i.number) IS NOT NULL
),

-- a number that two persons bear tells nothing
told AS (SELECT scheme, number, any_value(person_id) AS person_id FROM borne GROUP BY ALL HAVING count(DISTINCT person_id) = 1)

SELECT a.source, a.activity_ref, m.person_id
FROM activity AS a JOIN risk_member AS m USING (record_id)
UNION ALL
SELECT a.source, a.activity_ref, t.person_id
FROM activity AS a
JOIN told AS t ON t.scheme = a.subject_scheme
    AND t.number = CASE a.subject_scheme WHEN 'upn' THEN std_upn(a.subject_number) ELSE std_nhs_number(a.subject_number) END
WHERE a.record_id IS NULL AND a.source IN (${lookups});
