"""Put the standardisation macros and their lookup tables into a DuckDB connection."""

from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import yaml

ROOM = Path(__file__).parent


@cache
def _read(file: str) -> dict[str, list[str]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    lists: dict[str, list[str]] = yaml.load((ROOM / file).read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return lists


def words(section: str) -> list[str]:
    """The word list `section` of words.yaml, upper case."""
    return [str(word) for word in _read("words.yaml")[section]]


def nickname_roots() -> dict[str, str]:
    """Nickname -> root. A root is its own; a form listed under two roots belongs to the first."""
    groups = _read("nicknames.yaml")
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
