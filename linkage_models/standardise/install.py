"""Put the standardisation macros and their lookup tables into a DuckDB connection."""

from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

ROOM = Path(__file__).parent


def words(section: str) -> list[str]:
    """The word list `section` of words.yaml, upper case."""
    lists: dict[str, Any] = yaml.safe_load((ROOM / "words.yaml").read_text(encoding="utf-8"))
    return [str(word) for word in lists[section]]


def nickname_roots() -> dict[str, str]:
    """Nickname -> root. A root is its own; a form listed under two roots belongs to the first."""
    groups: dict[str, list[str]] = yaml.safe_load((ROOM / "nicknames.yaml").read_text(encoding="utf-8"))
    roots = {str(root): str(root) for root in groups}
    for root, forms in groups.items():
        for form in forms:
            roots.setdefault(str(form), str(root))
    return roots


def install(con: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary macros `std_*` and the tables std_nickname and std_given_name; safe to call again."""
    roots = nickname_roots()
    given = sorted({*roots, *words("given_names")})
    _table(con, "std_nickname", pl.DataFrame({"name": list(roots), "root": list(roots.values())}))
    _table(con, "std_given_name", pl.DataFrame({"name": given}))
    lists = {
        section: _literal(words(section))
        for section in ("titles", "suffixes", "particles", "not_a_person", "death_marks")
    }
    for file in ("text.sql", "phonetic.sql", "numbers.sql"):
        con.execute((ROOM / file).read_text(encoding="utf-8"))
    for name, literal in lists.items():
        con.execute(f"CREATE OR REPLACE TEMP MACRO std_{name}() AS {literal}")


def _table(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    con.register("std_lookup", frame)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM std_lookup")
    con.unregister("std_lookup")


def _literal(values: list[str]) -> str:
    return "[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"
