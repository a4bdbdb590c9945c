"""The numbers of readiness that are policy."""

# A group with fewer records is not named: its rates are chance, and few people could be told by them.
FEWEST_IN_GROUP = 100
VIEW = "data_quality"
