"""Releases: data sets that leave under pseudonyms of their own, small groups checked, with a manifest that says so.

It opens the attributes zone alone: it can neither read who anybody is nor link.
"""
