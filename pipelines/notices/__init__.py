"""Notices to those who run this: an extract was refused, one is late, a run failed. Words and counts, no person."""
