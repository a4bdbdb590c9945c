-- One row per rule and strength: flagged pairs, and those that an innocent explanation took out ('explained').
SELECT rule, strength, count(*), sum(expected_retained)::DOUBLE
FROM identity.fraud.flagged_pair
GROUP BY rule, strength
UNION ALL
SELECT rule, 'explained', count(*), 0 FROM identity.fraud.explained GROUP BY rule
ORDER BY 1, 2
