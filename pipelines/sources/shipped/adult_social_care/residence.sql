-- one row per address of a person; for a client whom case management doesn't know, at the postcode since the first event held
SELECT
    p.record_id, 'adult_social_care:' || a.address_ref AS address_id, a.start_date AS from_date, a.end_date AS to_date,
    'care' AS basis, a.extract_date, a.valid_from, a.valid_to, a.loaded_run
FROM ${addresses} a
JOIN ${persons} p USING (person_id)
UNION ALL
SELECT record_id, 'adult_social_care:' || la_person_unique_identifier, since, date_of_death, 'care',
    extract_date, valid_from, valid_to, loaded_run
FROM (
    SELECT *, min(event_start_date) OVER (PARTITION BY record_id) AS since
    FROM ${cld} WHERE la_person_unique_identifier NOT IN (SELECT person_id FROM ${persons})
    QUALIFY row_number() OVER (
        PARTITION BY record_id ORDER BY extract_date DESC, event_start_date DESC NULLS LAST, event_reference DESC) = 1)
