-- one row per event; fails if case management doesn't know its client
SELECT c.event_reference, p.person_id IS NULL AS fails
FROM ${cld} c LEFT JOIN ${persons} p ON p.person_id = c.la_person_unique_identifier
