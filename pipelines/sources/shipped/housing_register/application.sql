-- one row per person of an application to the housing register
SELECT
    a.application_ref, p.record_id, 'housing_register:' || a.application_ref AS address_id, 'housing_register' AS kind,
    p.relationship AS role,
    CASE
        WHEN a.status = 'Suspended' THEN 'suspended' WHEN a.status = 'Housed' THEN 'granted' WHEN a.status = 'Cancelled' THEN 'withdrawn'
        WHEN a.status IN ('Rejected', 'Disqualified') THEN 'refused' ELSE 'open'
    END AS status,
    a.band AS priority, a.submitted_on AS from_date, a.closed_on AS to_date,
    p.extract_date, p.valid_from, p.valid_to, p.loaded_run
FROM ${applicants} p
JOIN ${applications} a USING (application_ref)
