-- One row per source: its records in the view, the persons they belong to, and their share of all persons there.
WITH seen AS (
    SELECT r.source, m.person_id
    FROM identity.linkage.membership AS m
    JOIN identity.people.record AS r USING (record_id)
    WHERE m.view = '${view}'
)
SELECT source, count(*), count(DISTINCT person_id), count(DISTINCT person_id) / (SELECT count(DISTINCT person_id) FROM seen)
FROM seen
GROUP BY source
ORDER BY source
