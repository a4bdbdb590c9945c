-- One row per scorecard and tier: persons.
SELECT scorecard, tier, count(*) FROM attributes.risk.tier GROUP BY scorecard, tier ORDER BY scorecard, tier
