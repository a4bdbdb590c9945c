"""Records into persons and households: scored edges, a clustering per purpose view, ids that last, the ledger."""
