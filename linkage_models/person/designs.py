"""The two designs of a person model: what it compares and which pairs it looks at."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkage_models.person import blocking, comparisons, general
from linkage_models.person.levels import Comparison
from linkage_models.person.records import COLUMNS, IS_HOME, columns_at_hand
from linkage_models.statements import read_sql
from linkage_models.term_frequencies import TERM_COLUMNS
from linkage_models.thresholds import COMMON_WORD, LONE_RECORD, RARE_BLOCK


@dataclass(frozen=True)
class Design:
    """`rules` and `families` as in blocking; `weighed` are the columns whose common values count for less; `columns` is
    the SQL that adds what only this design reads to a table as person.records writes it, `added` their names; `lone` as
    clustering.cluster takes it. A model remembers its design by name."""

    name: str
    comparisons: tuple[Comparison, ...]
    rules: dict[str, tuple[str, ...]]
    families: dict[str, frozenset[str]]
    weighed: tuple[str, ...]
    columns: Path | None = None
    added: tuple[str, ...] = ()
    lone: float = 0.0

    @property
    def spare(self) -> bool:
        """Whether rules too dear for the records at hand may be left out."""
        return self.columns is not None

    @property
    def joins_by_name(self) -> bool:
        """Whether a full name brings records together by itself, unless too many bear it."""
        return any("telling_name" in keys for keys in self.rules.values())

    def extend(self, con: duckdb.DuckDBPyConnection, table: str, counted: str | None = None) -> None:
        """Add the columns of the design to the temporary table `table`, unless it has them. `counted`: a query of those
        of its records that say which values are common, without one all."""
        held = {name for name, *_ in con.execute(f"DESCRIBE {table}").fetchall()}
        if self.columns and not held.issuperset(self.added):
            rates = {"rare": str(RARE_BLOCK), "common": str(COMMON_WORD), "counted": counted or table}
            con.execute(read_sql(self.columns, table=table, home=IS_HOME, **rates))

    def prepare(self, con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
        """Add the columns of the design to the temporary table `table`; returns those that tell records apart."""
        self.extend(con, table)
        return columns_at_hand(con, table, (*COLUMNS, *self.added))

    def comparisons_of(self, columns: Iterable[str]) -> list[Comparison]:
        """The comparisons that the columns at hand allow; one with several needs stands if any of them is there."""
        at_hand = set(columns)
        return [comparison for comparison in self.comparisons if at_hand.intersection(comparison.needs)]

    def usable_rules(self, columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The blocking rules whose columns are all at hand."""
        at_hand = set(columns)
        return {
            name: keys
            for name, keys in self.rules.items()
            if at_hand.issuperset(part for key in keys for part in key.removesuffix("[]").split("="))
        }


COUNCIL = Design("council", comparisons.COMPARISONS, blocking.RULES, blocking.FAMILIES, ("forename", "surname_key"))
GENERAL = Design(
    "general",
    general.COMPARISONS,
    general.RULES,
    general.FAMILIES,
    TERM_COLUMNS,
    Path(__file__).with_name("general.sql"),
    general.ADDED_COLUMNS,
    LONE_RECORD,
)
DESIGNS = {design.name: design for design in (COUNCIL, GENERAL)}
