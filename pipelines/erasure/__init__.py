"""The right to erasure: asked for, approved by a second person or refused on a ground, carried out everywhere."""
