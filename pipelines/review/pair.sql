-- A scored pair among the records that an item shows, its neighbours' too (item_id, record_l, record_r).
WITH shown AS (
    SELECT item_id, record_id FROM identity.review.member
    UNION
    SELECT item_id, record_id FROM identity.review.beside
)

SELECT l.item_id, edge.record_l, edge.record_r, edge.match_weight, edge.match_probability ${details}
FROM view_edge AS edge ${beside}
JOIN shown AS l ON l.record_id = edge.record_l
JOIN shown AS r ON r.record_id = edge.record_r AND r.item_id = l.item_id
ORDER BY l.item_id, edge.match_weight DESC, edge.record_l, edge.record_r
