-- one row per pupil and home, and per adult to call and the home shared with a pupil; a contact's days there aren't known
SELECT
    'schools:pupil/' || p.pupilid || '#' || p.occupant AS record_id, 'schools:' || a.pupilid AS address_id,
    p.entrydate AS from_date, p.leavingdate AS to_date, 'school' AS basis,
    a.extract_date, a.valid_from, a.valid_to, a.loaded_run
FROM ${address} a
JOIN ${pupil} p USING (pupilid)
UNION ALL
SELECT
    'schools:contact/' || c.contactid || '#' || c.occupant, 'schools:' || a.pupilid, NULL, p.leavingdate, 'contact',
    a.extract_date, a.valid_from, a.valid_to, a.loaded_run
FROM ${pupil_contact} r
JOIN ${contact} c USING (contactid)
JOIN ${pupil} p USING (pupilid)
JOIN ${address} a USING (pupilid)
WHERE r.samehome = 'Y'
