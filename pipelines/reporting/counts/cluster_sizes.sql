-- One row per view and size: persons made of that many records.
SELECT view, least(records, ${largest})::INTEGER AS size, count(*)
FROM (SELECT view, person_id, count(*) AS records FROM identity.linkage.membership GROUP BY view, person_id)
GROUP BY view, size
ORDER BY view, size
