-- One row per purpose view: its records, persons and current households.
SELECT m.view, m.records, m.persons, coalesce(h.households, 0)
FROM (
    SELECT view, count(*) AS records, count(DISTINCT person_id) AS persons FROM identity.linkage.membership GROUP BY view
) AS m
LEFT JOIN (
    SELECT view, count(*) AS households FROM identity.linkage.household WHERE to_date IS NULL GROUP BY view
) AS h USING (view)
ORDER BY m.view
