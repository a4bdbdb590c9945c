-- one row: names with small business relief that are persons, and those that have it for several places
SELECT count(*) AS rows, count(*) FILTER (WHERE places > 1) AS failures
FROM (
    SELECT a.liab_name, count(DISTINCT a.property_ref) AS places
    FROM ${ndrrelief} r JOIN ${ndraccount} a USING (account_ref)
    WHERE r.relief_code = 'SBRR' AND a.liab_kind = 'S' AND r.end_date IS NULL
    GROUP BY ALL
)
