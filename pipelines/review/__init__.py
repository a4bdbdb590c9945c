"""The review queue: clusters and pairs that a person should look at, in the order of what a decision would change."""
