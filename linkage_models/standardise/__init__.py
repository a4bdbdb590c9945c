"""Standardisation in DuckDB: names, dates, identifiers and contacts into one comparable form.

`install(con)` puts the lookup tables and macros into the connection; `standardise_people` applies them to a table.
"""

from linkage_models.standardise.install import install
from linkage_models.standardise.people import standardise_people

__all__ = ["install", "standardise_people"]
