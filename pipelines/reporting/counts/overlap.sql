-- One row per ordered pair of sources: persons with a record in both.
WITH seen AS (
    SELECT DISTINCT r.source, m.person_id
    FROM identity.linkage.membership AS m
    JOIN identity.people.record AS r USING (record_id)
    WHERE m.view = '${view}'
)
SELECT a.source, b.source, count(*)
FROM seen AS a
JOIN seen AS b USING (person_id)
GROUP BY a.source, b.source
ORDER BY a.source, b.source
