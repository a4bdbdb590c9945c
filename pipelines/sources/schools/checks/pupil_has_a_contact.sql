-- one row: pupils on the roll, and those without an adult to call
SELECT count(*) AS rows, count(*) FILTER (WHERE c.pupilid IS NULL) AS failures
FROM ${pupil} p LEFT JOIN (SELECT DISTINCT pupilid FROM ${pupil_contact}) c USING (pupilid)
WHERE p.leavingdate IS NULL
