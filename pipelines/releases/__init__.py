"""Releases: data sets that leave under pseudonyms of their own, small groups checked, with a manifest that says so."""
