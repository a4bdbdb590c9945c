"""A Southend-like borough that never existed: people, homes, events, extracts, truth."""
