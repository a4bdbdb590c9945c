"""Places: the gazetteer as tables, and the UPRN of every address."""
