-- one row per small business relief with a rateable value; fails for a larger hereditament
SELECT account_ref, p.rateable_value > 15000 AS fails
FROM ${ndrrelief} r
JOIN ${ndraccount} a USING (account_ref)
JOIN ${ndrproperty} p USING (property_ref)
WHERE r.relief_code = 'SBRR' AND p.rateable_value IS NOT NULL
