-- one row: registrations, and those without a child or without a mother
SELECT count(*) AS rows, count(*) FILTER (WHERE coalesce(p.needed, 0) < 2) AS failures
FROM ${births} b
LEFT JOIN (
    SELECT registration_id, count(DISTINCT party) AS needed FROM ${parties} WHERE party IN ('C', 'M') GROUP BY ALL
) p USING (registration_id)
