"""`train` and `models`: training on the published records, calibrating from labels, models side by side."""
