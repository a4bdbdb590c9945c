-- one row per member of a household and its tenancy
SELECT
    t.tag_ref AS tenancy_ref, m.record_id, 'housing:' || t.prop_ref AS address_id,
    CASE t.tenure
        WHEN 'SEC' THEN 'secure' WHEN 'INT' THEN 'introductory' WHEN 'ASY' THEN 'assured_shorthold' WHEN 'FRE' THEN 'flexible'
        WHEN 'TEM' THEN 'temporary'
    END AS tenure,
    m.responsible = '1' AS is_tenant,
    t.start_date AS from_date, t.end_date AS to_date,
    m.extract_date, m.valid_from, m.valid_to, m.loaded_run
FROM ${member} m
JOIN ${tenagree} t USING (house_ref)
