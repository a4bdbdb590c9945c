"""The report of a run: its counts, one page of them, and the short form for a terminal. Counts only: no person, no
record.
"""
