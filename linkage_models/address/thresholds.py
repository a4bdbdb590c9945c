"""The policy numbers of address matching. Weights are match weights in bits (log2 of the odds)."""

#: A candidate below this weight is no candidate: the address stays unmatched.
CANDIDATE_WEIGHT = 0.0
#: A Splink candidate is accepted from this weight on ...
ACCEPT_WEIGHT = 8.0
#: ... if the next best UPRN lies this far below it: what is nearer is ambiguous, never guessed.
ACCEPT_GAP = 3.0
#: A key found without its postcode counts only if the postcode given is at most this many edits away.
POSTCODE_EDITS = 1
#: Weight and gap written for matches that need no model (given, cross-reference, unique key).
SETTLED_WEIGHT = 40.0
#: Longest chain of successors that is followed.
SUCCESSOR_STEPS = 10
#: Candidate pairs a source address may have on average; a gazetteer or source beyond it is refused before scoring.
PAIRS_AN_ADDRESS = 200
#: AddressBase classes in which nobody lives, left out of the search: ancillary building, parking, garage, land, street.
NEVER_A_HOME = ("RB", "RC", "RG", "L", "PS")
#: Jaro-Winkler similarity from which the street of a text may be the street of the UPRN that the source gives.
STREET_SIMILARITY = 0.88
