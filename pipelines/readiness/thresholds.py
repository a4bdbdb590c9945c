"""The numbers of readiness that are policy."""

# A group with fewer records is not named: its rates are chance, and few people could be told by them.
FEWEST_IN_GROUP = 100
VIEW = "data_quality"
# Links foretold from which a forecast is worth holding against records that hold the field.
WORTH_A_MIRROR = 5.0
# Links foretold below which readers get a range alone: the number is mostly chance.
FEW_LINKS = 50.0
