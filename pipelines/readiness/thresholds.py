"""The numbers of readiness that are policy."""

# A group with fewer records is not named: its rates are chance, and few people could be told by them.
FEWEST_IN_GROUP = 100
VIEW = "data_quality"
# Links foretold from which a forecast is worth holding against records that hold the field.
WORTH_A_MIRROR = 5.0
# Links foretold below which readers get a range alone: the number is mostly chance.
FEW_LINKS = 50.0
# Of the true pairs that Chao's estimator foretells beyond those that rules compared, so many are there: families of
# rules lean on each other (a name spelt well is found by name, by home and by birth date). benchmarks/apart.py.
UNSEEN = 0.43
# ... and that estimate counts up to this share of the pairs found by one family alone: where hardly any is found by two
# it has nothing to stand on.
UNSEEN_MOST = 0.3
# Missed pairs of two sources are off by so much of themselves (one standard error), chance apart: the same boroughs.
RECALL_OFF = 0.3
