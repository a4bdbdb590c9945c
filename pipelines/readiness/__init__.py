"""Linkage-readiness: what each source's data lets the linkage find, whom it serves least, and what to mend first."""
