-- A pair whose standing decision can't be honoured as it is: contradicted, or a record has changed (record_l, record_r).
SELECT 'decision' AS reason,
       CASE WHEN starts_with(edge.reason, 'decisions contradict') THEN 'Earlier decisions contradict each other; this one is suspended.'
            ELSE 'A record has changed since it was decided on; the decision is asked again.' END AS why,
       least(l.person_id, r.person_id) AS person_id,
       CASE WHEN l.person_id <> r.person_id THEN greatest(l.person_id, r.person_id) END AS other_person_id,
       edge.record_l, edge.record_r,
       (SELECT count(*) FROM review_member AS m WHERE m.person_id = l.person_id)
           + CASE WHEN l.person_id <> r.person_id
                  THEN (SELECT count(*) FROM review_member AS m WHERE m.person_id = r.person_id) ELSE 0 END AS members,
       scored.match_weight AS weakest_weight, scored.match_probability AS weakest_probability,
       1 AS effect, ${undecided} AS doubt
FROM identity.linkage.review_edge AS edge
JOIN review_member AS l ON l.record_id = edge.record_l
JOIN review_member AS r ON r.record_id = edge.record_r
LEFT JOIN view_edge AS scored USING (record_l, record_r)
WHERE edge.view = '${view}' AND starts_with(edge.reason, 'decision')
