"""Standardisation in DuckDB: names, dates, identifiers and contacts into one comparable form.

`install(con)` puts the lookup tables and macros into the connection; `standardise_people` applies them to a table,
`mark_people` and `code_mark` say whether what they make would come out otherwise than before.
"""

from linkage_models.standardise.install import install
from linkage_models.standardise.people import code_mark, mark_people, standardise_people

__all__ = ["code_mark", "install", "mark_people", "standardise_people"]
