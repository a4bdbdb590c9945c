-- one row: events, and those of a client whom case management doesn't know
SELECT count(*) AS rows, count(*) FILTER (WHERE p.person_id IS NULL) AS failures
FROM ${cld} c LEFT JOIN ${persons} p ON p.person_id = c.la_person_unique_identifier
