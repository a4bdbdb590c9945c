"""The scorecard as data and as parts of a page: what the offline page and the review app draw."""
