-- Pair of records that are, or may be, one person (record_id, kin_id); both directions, only from tenants and deaths.
-- With the weight of their own edge, else of the weaker of the two records' best links inside the person. A rare name is
-- no link: it says only that one other person in the records bears the tenant's name.
WITH edge AS (
    SELECT record_l AS record_id, record_r AS kin_id, match_weight, match_probability, match_key
    FROM view_edge
    UNION ALL
    SELECT record_r, record_l, match_weight, match_probability, match_key
    FROM view_edge
),

anchor AS (
    SELECT record_id FROM tenancy WHERE is_tenant AND live(from_date, to_date)
    UNION
    SELECT record_id FROM death
),

best AS (
    SELECT edge.record_id, max(edge.match_weight) AS match_weight, max(edge.match_probability) AS match_probability
    FROM edge
    JOIN member AS a ON a.record_id = edge.record_id
    JOIN member AS b ON b.record_id = edge.kin_id AND b.person_id = a.person_id
    GROUP BY edge.record_id
),

rare AS (
    SELECT forename, surname
    FROM member
    WHERE len(forename) > 1
    GROUP BY ALL
    HAVING count(DISTINCT person_id) = 2
),

pair AS (
    SELECT a.record_id, b.record_id AS kin_id, false AS kept_apart, false AS rare_name
    FROM anchor
    JOIN member AS a USING (record_id)
    JOIN member AS b ON b.person_id = a.person_id AND b.record_id <> a.record_id
    UNION ALL
    SELECT a.record_id, b.record_id, true, false
    FROM anchor
    JOIN member AS a USING (record_id)
    JOIN edge ON edge.record_id = a.record_id AND edge.match_probability >= ${twin_probability}
    JOIN member AS b ON b.record_id = edge.kin_id AND b.person_id <> a.person_id
    UNION ALL
    SELECT a.record_id, b.record_id, false, true
    FROM anchor
    JOIN member AS a USING (record_id)
    JOIN member AS b ON b.forename = a.forename AND b.surname = a.surname AND b.person_id <> a.person_id
    SEMI JOIN rare ON rare.forename = a.forename AND rare.surname = a.surname
    WHERE a.role = 'tenant' AND (a.birth_date <> b.birth_date) IS NOT TRUE AND (a.nino <> b.nino) IS NOT TRUE
)

SELECT pair.record_id, pair.kin_id, pair.kept_apart, pair.rare_name,
       CASE WHEN own.record_id IS NOT NULL OR pair.rare_name THEN own.match_weight
            ELSE least(l.match_weight, r.match_weight) END AS link_weight,
       CASE WHEN pair.rare_name THEN ${rare_name_probability}
            ELSE coalesce(own.match_probability, least(l.match_probability, r.match_probability)) END AS link_probability,
       CASE WHEN pair.rare_name THEN 'not linked: the same name, borne by nobody else'
            ELSE coalesce('scored against each other: ' || own.match_key, 'linked through other records') END AS link_basis,
       coalesce(a.nino = b.nino, false) AS same_nino,
       coalesce(a.nino <> b.nino, false) AS different_nino,
       coalesce(a.birth_date = b.birth_date, false) AS same_birth,
       coalesce(a.birth_date <> b.birth_date, false) AS different_birth
FROM pair
JOIN member AS a USING (record_id)
JOIN member AS b ON b.record_id = pair.kin_id
LEFT JOIN edge AS own USING (record_id, kin_id)
LEFT JOIN best AS l USING (record_id)
LEFT JOIN best AS r ON r.record_id = pair.kin_id
