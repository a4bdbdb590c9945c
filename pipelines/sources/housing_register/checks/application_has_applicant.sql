-- one row: applications, and those without a main applicant
SELECT count(*) AS rows, count(*) FILTER (WHERE p.application_ref IS NULL) AS failures
FROM ${applications} a
LEFT JOIN (SELECT DISTINCT application_ref FROM ${applicants} WHERE relationship = 'applicant') p USING (application_ref)
