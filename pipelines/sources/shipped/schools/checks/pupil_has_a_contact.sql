-- one row per pupil on the roll; fails without an adult to call
SELECT pupilid, c.pupilid IS NULL AS fails
FROM ${pupil} p LEFT JOIN (SELECT DISTINCT pupilid FROM ${pupil_contact}) c USING (pupilid)
WHERE p.leavingdate IS NULL
