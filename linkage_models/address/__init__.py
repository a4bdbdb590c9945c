"""Addresses to UPRNs: both sides normalised alike, unique keys looked up, Splink for the rest, doubt left as doubt."""

from linkage_models.address.evaluation import evaluate_addresses
from linkage_models.address.gazetteer import read_wordings
from linkage_models.address.matching import METHODS, TooManyCandidates, match_addresses

__all__ = ["METHODS", "TooManyCandidates", "evaluate_addresses", "match_addresses", "read_wordings"]
