"""Flagged pairs: two records that are worth an officer's look. Never a finding: an officer decides."""
