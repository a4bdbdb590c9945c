"""Sources: what each promises (its contract), how its files are read and taken in, its facts. A folder is a source."""
