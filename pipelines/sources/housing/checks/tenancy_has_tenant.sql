-- one row: current tenancies, and those without a named tenant
SELECT count(*) AS rows, count(*) FILTER (WHERE m.house_ref IS NULL) AS failures
FROM ${tenagree} t
LEFT JOIN (SELECT DISTINCT house_ref FROM ${member} WHERE responsible = '1') m USING (house_ref)
WHERE t.end_date IS NULL
