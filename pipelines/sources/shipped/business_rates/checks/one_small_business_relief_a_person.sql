-- one row per small business relief of a person; fails if they have it for several places
SELECT a.account_ref, count(DISTINCT a.property_ref) OVER (PARTITION BY a.liab_name) > 1 AS fails
FROM ${ndrrelief} r JOIN ${ndraccount} a USING (account_ref)
WHERE r.relief_code = 'SBRR' AND a.liab_kind = 'S' AND r.end_date IS NULL
