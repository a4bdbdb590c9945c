-- Pair of records that are, or may be, one person (record_id, kin_id); both directions, only from tenants and deaths.
-- With the weight of their own edge, else of the weaker of the two records' best links inside the person.
WITH edge AS (
    SELECT record_l AS record_id, record_r AS kin_id, match_weight, match_probability, match_key
    FROM identity.linkage.edge
    UNION ALL
    SELECT record_r, record_l, match_weight, match_probability, match_key
    FROM identity.linkage.edge
),

anchor AS (
    SELECT record_id FROM tenancy WHERE is_tenant AND live(from_date, to_date)
    UNION
    SELECT record_id FROM death
),

best AS (
    SELECT edge.record_id, max_by(edge.match_weight, edge.match_weight) AS match_weight,
           max_by(edge.match_probability, edge.match_weight) AS match_probability
    FROM edge
    JOIN member AS a ON a.record_id = edge.record_id
    JOIN member AS b ON b.record_id = edge.kin_id AND b.person_id = a.person_id
    GROUP BY edge.record_id
),

pair AS (
    SELECT a.record_id, b.record_id AS kin_id, false AS kept_apart
    FROM anchor
    JOIN member AS a USING (record_id)
    JOIN member AS b ON b.person_id = a.person_id AND b.record_id <> a.record_id
    UNION ALL
    SELECT a.record_id, b.record_id, true
    FROM anchor
    JOIN member AS a USING (record_id)
    JOIN edge ON edge.record_id = a.record_id AND edge.match_probability >= ${twin_probability}
    JOIN member AS b ON b.record_id = edge.kin_id AND b.person_id <> a.person_id
),

own AS (
    SELECT record_id, kin_id, max_by(match_weight, match_weight) AS match_weight,
           max_by(match_probability, match_weight) AS match_probability, max_by(match_key, match_weight) AS match_key
    FROM edge
    GROUP BY ALL
)

SELECT pair.record_id, pair.kin_id, pair.kept_apart,
       coalesce(own.match_weight, least(l.match_weight, r.match_weight)) AS link_weight,
       coalesce(own.match_probability, least(l.match_probability, r.match_probability)) AS link_probability,
       coalesce('scored against each other: ' || own.match_key, 'linked through other records') AS link_basis,
       a.nino IS NOT NULL AND a.nino = b.nino AS same_nino,
       a.nino IS NOT NULL AND b.nino IS NOT NULL AND a.nino <> b.nino AS different_nino,
       a.birth_date IS NOT NULL AND a.birth_date = b.birth_date AS same_birth,
       a.birth_date IS NOT NULL AND b.birth_date IS NOT NULL AND a.birth_date <> b.birth_date AS different_birth
FROM pair
JOIN member AS a USING (record_id)
JOIN member AS b ON b.record_id = pair.kin_id
LEFT JOIN own USING (record_id, kin_id)
LEFT JOIN best AS l USING (record_id)
LEFT JOIN best AS r ON r.record_id = pair.kin_id
