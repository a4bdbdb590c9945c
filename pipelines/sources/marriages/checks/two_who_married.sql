-- one row: marriages, and those that don't name two people
SELECT count(*) AS rows, count(*) FILTER (WHERE coalesce(p.people, 0) <> 2) AS failures
FROM ${marriages} m
LEFT JOIN (SELECT marriage_id, count(*) AS people FROM ${parties} GROUP BY ALL) p USING (marriage_id)
