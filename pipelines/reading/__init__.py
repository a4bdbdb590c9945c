"""What the reading commands answer, from the published snapshot alone: words and tables, or JSON."""
