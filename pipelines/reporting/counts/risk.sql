-- One row per tier of the scorecard, highest first: persons.
SELECT tier, persons, actual_share FROM attributes.risk.tier ORDER BY top_share
