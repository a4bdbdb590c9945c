-- one row per pupil and term, and per special educational need
SELECT
    a.pupilid || '/' || a.term || '/' || a.termstart AS activity_ref, 'schools:pupil/' || p.pupilid || '#' || p.occupant AS record_id,
    NULL AS subject_scheme, NULL AS subject_number, 'school_attendance' AS kind, p.ncyear AS detail,
    (a.authorised + a.unauthorised)::DECIMAL(12,2) AS quantity, 'sessions_missed' AS unit, a.termstart AS from_date, a.termend AS to_date,
    a.extract_date, a.valid_from, a.valid_to, a.loaded_run
FROM ${attendance} a JOIN ${pupil} p USING (pupilid)
UNION ALL
SELECT
    s.pupilid || '/' || s.sentype, 'schools:pupil/' || p.pupilid || '#' || p.occupant, NULL, NULL,
    CASE s.senprovision WHEN 'E' THEN 'sen_plan' ELSE 'sen_support' END, s.sentype, NULL, NULL, s.senstartdate, p.leavingdate,
    s.extract_date, s.valid_from, s.valid_to, s.loaded_run
FROM ${sen} s JOIN ${pupil} p USING (pupilid)
