"""Measurements: each script prints our figure beside a yardstick or a budget; `make bench` runs them. Nothing imports
from here but other measurements.
"""
