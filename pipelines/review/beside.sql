-- A record of one of the persons nearest to an item, by their strongest scored pair (item_id, record_id).
WITH both_ways AS (
    SELECT record_l AS here, other_person_id AS person_id, match_weight
    FROM telling
    WHERE person_id <> other_person_id AND match_weight >= ${beside_weight}
    UNION ALL
    SELECT record_r, person_id, match_weight
    FROM telling
    WHERE person_id <> other_person_id AND match_weight >= ${beside_weight}
),

near AS (
    SELECT m.item_id, e.person_id, max(e.match_weight) AS best
    FROM identity.review.member AS m
    JOIN both_ways AS e ON e.here = m.record_id
    WHERE NOT EXISTS (
        SELECT 1 FROM identity.review.member AS own
        WHERE own.item_id = m.item_id AND own.person_id = e.person_id)
      AND e.person_id NOT IN (SELECT person_id FROM review_member WHERE sensitivity IS NOT NULL)
    GROUP BY m.item_id, e.person_id
    QUALIFY row_number() OVER (PARTITION BY m.item_id ORDER BY best DESC, e.person_id) <= ${beside_persons}
)

SELECT near.item_id, other.person_id, other.record_id, other.source, other.role, near.best
FROM near
JOIN review_member AS other USING (person_id)
QUALIFY count(*) OVER (PARTITION BY near.item_id, near.person_id) <= ${beside_records}
ORDER BY near.item_id, near.best DESC, other.person_id, other.record_id
