"""Addresses to UPRNs: normalise both sides alike, look up unique keys, let Splink score the rest, accept only by weight and gap."""

from linkage_models.address.evaluation import evaluate_addresses
from linkage_models.address.gazetteer import read_wordings
from linkage_models.address.matching import METHODS, TooManyCandidates, match_addresses

__all__ = ["METHODS", "TooManyCandidates", "evaluate_addresses", "match_addresses", "read_wordings"]
