-- one row: small business reliefs with a rateable value, and those of larger hereditaments
SELECT count(*) AS rows, count(*) FILTER (WHERE p.rateable_value > 15000) AS failures
FROM ${ndrrelief} r
JOIN ${ndraccount} a USING (account_ref)
JOIN ${ndrproperty} p USING (property_ref)
WHERE r.relief_code = 'SBRR' AND p.rateable_value IS NOT NULL
