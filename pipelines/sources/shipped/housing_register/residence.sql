-- one row per person of an application: at its main address from the day it was made
SELECT
    p.record_id, 'housing_register:' || a.application_ref AS address_id, a.submitted_on AS from_date, a.closed_on AS to_date,
    'contact' AS basis, p.extract_date, p.valid_from, p.valid_to, p.loaded_run
FROM ${applicants} p
JOIN ${applications} a USING (application_ref)
WHERE a.address_type = '1'
