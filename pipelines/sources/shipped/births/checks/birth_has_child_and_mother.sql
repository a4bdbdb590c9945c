-- one row per registration; fails without a child or without a mother
SELECT registration_id, coalesce(p.needed, 0) < 2 AS fails
FROM ${births} b
LEFT JOIN (
    SELECT registration_id, count(DISTINCT party) AS needed FROM ${parties} WHERE party IN ('C', 'M') GROUP BY ALL
) p USING (registration_id)
