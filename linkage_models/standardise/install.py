"""Put the standardisation macros and their lookup tables into a DuckDB connection."""

from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

ROOM = Path(__file__).parent
MACROS = ("text.sql", "names.sql", "phonetic.sql", "dates.sql", "identifiers.sql", "contacts.sql")
# how far a name of communities.yaml leans to being a given name, in bits
GIVEN, FAMILY, EITHER = 6, -6, 0


@cache
def _read(file: str) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = yaml.load((ROOM / file).read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return content


@cache
def nicknames() -> pl.DataFrame:
    """name, root (one name for all its forms, to block by), forms (itself and the full names it may stand for)."""
    full: dict[str, list[str]] = _read("nicknames.yaml")["names"]
    together = {name: group[0] for group in _read("nicknames.yaml")["one_root"] for name in group}
    heads: dict[str, list[str]] = {}
    for head, forms in full.items():
        for form in (head, *forms):
            heads.setdefault(form, []).append(head)
    rows = []
    for name, stands_for in heads.items():
        first = name if name in full else stands_for[0]
        rows.append((name, together.get(first, first), list(dict.fromkeys([name, *stands_for]))))
    return pl.DataFrame(rows, schema={"name": pl.String, "root": pl.String, "forms": pl.List(pl.String)}, orient="row")


@cache
def name_use() -> pl.DataFrame:
    """name, bits (above 0: rather a given name), is_family and is_syllable (of an East Asian name)."""
    bits = dict(pl.read_csv(ROOM / "name_use.csv", comment_prefix="#").rows())
    communities: dict[str, dict[str, list[str]]] = _read("communities.yaml")
    eastern = communities["east_asian"]
    for kind, lean in (("family", FAMILY), ("given", GIVEN), ("either", EITHER)):
        for community, lists in communities.items():
            if community != "east_asian":
                bits |= dict.fromkeys(lists.get(kind, []), lean)
    family, syllables = set(eastern["family"]), set(eastern["syllables"])
    for name in family | syllables:
        bits.setdefault(name, EITHER if name in family & syllables else FAMILY if name in family else GIVEN)
    names = sorted(bits)
    return pl.DataFrame({
        "name": names,
        "bits": [bits[name] for name in names],
        "is_family": [name in family for name in names],
        "is_syllable": [name in syllables for name in names],
    })  # fmt: skip


def install(con: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary macros `std_*` and the tables std_nickname and std_name_use, unless the connection has
    them."""
    if con.execute("SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = 'std_name_use'").fetchall():
        return
    _table(con, "std_nickname", nicknames())
    words = dict(_read("words.yaml"))
    words["beside_given_names"] = words["titles"] + words["suffixes"]
    words["beside_family_names"] = words["beside_given_names"] + words["son_or_daughter_of"]
    for name, listed in words.items():
        con.execute(f"CREATE OR REPLACE TEMP MACRO std_{name}() AS {_literal(listed)}")
    for name, bits in _read("order.yaml").items():
        con.execute(f"CREATE OR REPLACE TEMP MACRO std_bits_{name}() AS {float(bits)}")
    for file in MACROS:
        con.execute((ROOM / file).read_text(encoding="utf-8"))
    _table(con, "std_name_use", name_use())  # last: it says that all are there


def _table(con: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    con.register("std_lookup", frame)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM std_lookup")
    con.unregister("std_lookup")


def _literal(values: list[str]) -> str:
    return "[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"
