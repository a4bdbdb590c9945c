"""FEBRL 3 (copies in one table) and FEBRL 4 (two tables): invented Australians, damaged on purpose, truth known."""
