-- One row per stay of a record at an address, as its source believes it and in its words. Grain: record_id, address_id, from_date.
SELECT r.record_id, r.address_id, u.uprn, u.door_key, a.postcode, a.address_text, r.from_date, r.to_date,
    r.to_date IS NULL OR r.to_date >= DATE '${as_of}' AS is_current,
    r.basis
FROM ${residence} r ${among}
JOIN ${address} a ON a.address_id = r.address_id AND a.valid_to IS NULL
LEFT JOIN ${address_uprn} u ON u.address_id = r.address_id
LEFT JOIN (SELECT record_id, sensitivity FROM identity.facts.person_record WHERE sensitivity IS NOT NULL AND valid_to IS NULL) p
    ON p.record_id = r.record_id
-- where a sealed person is stays with the facts, and so does where one with a masked history was
WHERE r.valid_to IS NULL AND coalesce(p.sensitivity, '') NOT IN (${sealed})
    AND NOT EXISTS (SELECT 1 FROM ${sealed_place} s WHERE s.uprn = u.uprn AND s.source = r.source)
    AND (coalesce(p.sensitivity, '') NOT IN (${masked}) OR r.to_date IS NULL OR r.to_date >= DATE '${as_of}')
