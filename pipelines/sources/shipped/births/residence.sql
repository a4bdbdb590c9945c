-- one row per person of a registration: at the mother's address on that day; the entry gives one address only
SELECT
    p.record_id, 'births:' || b.registration_id AS address_id, b.registered_date AS from_date, NULL AS to_date, 'contact' AS basis,
    p.extract_date, p.valid_from, p.valid_to, p.loaded_run
FROM ${parties} p
JOIN ${births} b USING (registration_id)
