-- one row per application; fails without a main applicant
SELECT application_ref, p.application_ref IS NULL AS fails
FROM ${applications} a
LEFT JOIN (SELECT DISTINCT application_ref FROM ${applicants} WHERE relationship = 'applicant') p USING (application_ref)
