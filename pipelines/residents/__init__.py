"""Residents: who lives in the borough on a day, by signs of life over sources, and how many nobody sees."""
