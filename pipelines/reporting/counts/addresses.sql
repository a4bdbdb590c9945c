-- One row per source and method: current addresses.
SELECT a.source, u.method, count(*)
FROM identity.places.address_uprn AS u
JOIN identity.facts.address AS a ON a.address_id = u.address_id AND a.valid_to IS NULL
GROUP BY a.source, u.method
ORDER BY a.source, u.method
