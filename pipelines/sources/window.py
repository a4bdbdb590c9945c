"""What a purpose may read of the facts: current rows of its sources, in temporary tables named after the facts."""

from collections.abc import Iterable, Sequence

from pipelines.sources.facts import FACTS
from pipelines.warehouse import Warehouse


def open_window(wh: Warehouse, facts: Iterable[str], sources: Sequence[str]) -> str:
    """Make a temporary table of each fact, empty where no source provides it; return the sources as an SQL list."""
    listed = ", ".join("'" + source.replace("'", "''") + "'" for source in sources) or "''"
    for fact in facts:
        if wh.exists(f"identity.facts.{fact}"):
            rows = f"SELECT * FROM identity.facts.{fact} WHERE valid_to IS NULL AND source IN ({listed})"
        else:
            columns = ", ".join(f"NULL::{column.type} AS {column.name}" for column in FACTS[fact].all_columns)
            rows = f"SELECT {columns} LIMIT 0"
        wh.execute(f"CREATE OR REPLACE TEMP TABLE {fact} AS {rows}")
    return listed
