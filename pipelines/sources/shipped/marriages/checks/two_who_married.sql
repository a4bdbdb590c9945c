-- one row per marriage; fails if it doesn't name two people
SELECT marriage_id, coalesce(p.people, 0) <> 2 AS fails
FROM ${marriages} m
LEFT JOIN (SELECT marriage_id, count(*) AS people FROM ${parties} GROUP BY ALL) p USING (marriage_id)
