-- Scored persons by the tier before and the tier after, null where they were not scored (before, after).
SELECT b.tier AS tier_before, a.tier AS tier_after, count(*) AS persons
FROM before.risk.tier_of b FULL JOIN after.risk.tier_of a ON a.person_id = b.person_id
GROUP BY ALL
ORDER BY 1 NULLS LAST, 2 NULLS LAST
