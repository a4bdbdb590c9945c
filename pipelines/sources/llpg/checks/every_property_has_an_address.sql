-- one row: approved properties, and those without an approved address
SELECT count(*) AS rows, count(*) FILTER (WHERE a.uprn IS NULL) AS failures
FROM ${blpu} b
LEFT JOIN (SELECT DISTINCT uprn FROM ${lpi} WHERE logical_status = 1) a USING (uprn)
WHERE b.logical_status = 1
