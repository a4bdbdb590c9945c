"""One renderer a source system: the world as that system wrote it down, in its own layout."""
