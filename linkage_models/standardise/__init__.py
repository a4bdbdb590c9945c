"""Standardisation in DuckDB: names, dates, identifiers and contacts into one comparable form.

`install(con)` puts the lookup tables and macros into the connection; `standardise_people` applies them to a table,
`mark_people` says which rows of it would come out otherwise than before.
"""

from linkage_models.standardise.install import install
from linkage_models.standardise.people import mark_people, standardise_people

__all__ = ["install", "mark_people", "standardise_people"]
