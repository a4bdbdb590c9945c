"""What is done to keys, people's names and people's traces: by request, with a second person, and on the record."""
