-- one row per approved property; fails without an approved address
SELECT uprn, a.uprn IS NULL AS fails
FROM ${blpu} b
LEFT JOIN (SELECT DISTINCT uprn FROM ${lpi} WHERE logical_status = 1) a USING (uprn)
WHERE b.logical_status = 1
