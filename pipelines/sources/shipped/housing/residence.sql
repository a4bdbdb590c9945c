-- one row per member of a household and its tenancy's home
SELECT
    m.record_id, 'housing:' || t.prop_ref AS address_id,
    t.start_date AS from_date, t.end_date AS to_date,
    'tenancy' AS basis,
    m.extract_date, m.valid_from, m.valid_to, m.loaded_run
FROM ${member} m
JOIN ${tenagree} t USING (house_ref)
WHERE t.prop_ref IS NOT NULL
