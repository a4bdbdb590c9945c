"""What runs, when and in which order; see docs/architecture.md for the map."""
