"""Standardise a table of people, or find those of them who have to be standardised anew."""

import hashlib
from datetime import date
from pathlib import Path

import duckdb

from linkage_models.standardise.install import install
from linkage_models.statements import read_sql
from linkage_models.thresholds import DEFAULT_DATE_FEWEST, DEFAULT_DATE_SHARE, HISTORIC_FEWEST, HISTORIC_SHARE

ROOM = Path(__file__).parent
_READ = (
    "source", "role", "title", "forename", "middle", "surname", "name_text", "former_surname", "sex", "death_date",
    "nino", "nhs_number", "person_number", "phone", "email", "birth_place", "occupation", "sensitivity",
)  # fmt: skip


def standardise_people(
    con: duckdb.DuckDBPyConnection, source: str, target: str, as_of: date, marked: bool = False
) -> None:
    """Write the temporary table `target`, one row per row of `source`.

    `source` needs record_id, source, role, title, forename, middle, surname, name_text, former_surname, birth_date,
    sex, death_date, nino, nhs_number, person_number, phone, email, birth_place, occupation, sensitivity; birth_date is
    a date, or text in any form that std_read_date reads. `as_of` decides which birth dates lie in the future. `marked`:
    `source` is a part of the records that mark_people has just marked: whether a source is about the past, and which
    date is its default, shows only among all of them.
    """
    install(con)
    day, birth_date = f"DATE '{as_of:%Y-%m-%d}'", _birth_date(con, source, as_of)
    if not marked:
        _eras(con, source, as_of)
    con.execute(read_sql(ROOM / "one_string.sql", source=source))
    con.execute(read_sql(ROOM / "people.sql", source=source, target=target, as_of=day, birth_date=birth_date))
    con.execute("DROP TABLE std_era; DROP TABLE std_default_date")


def mark_people(con: duckdb.DuckDBPyConnection, source: str, target: str, as_of: date, basis: bytes) -> None:
    """Write the temporary table `target` (record_id, mark): a 64-bit hash of all that standardising a record reads, the
    code and `basis` included.

    Two rows of one mark are standardised alike, on whatever days: the day decides only whether a birth date lies in the
    future, too far back or within a childhood, and that is part of the mark. The hash is DuckDB's own; the engine's
    version is part of it. Leaves the temporary tables std_era and std_default_date.
    """
    install(con)
    day, birth_date = f"DATE '{as_of:%Y-%m-%d}'", _birth_date(con, source, as_of)
    _eras(con, source, as_of)
    con.execute(
        f"""-- one row per record
        CREATE OR REPLACE TEMP TABLE {target} AS
        SELECT record_id, hash('{code_mark(basis)}', {", ".join(f"r.{column}" for column in _READ)}, born, born > {day},
            born > {day} - INTERVAL 16 YEAR, born < coalesce(e.oldest, std_oldest_alive({day})), d.source IS NULL
        ) AS mark
        FROM (SELECT *, {birth_date} AS born FROM {source} r) r LEFT JOIN std_era e ON e.source = r.source
        LEFT JOIN std_default_date d ON d.source = r.source AND d.birth_date = born"""
    )


def code_mark(basis: bytes) -> str:
    """A hash of all that standardising follows from beside the values: the code, the engine, and `basis`."""
    code = hashlib.sha256(basis + duckdb.__version__.encode())
    for path in sorted(path for path in ROOM.iterdir() if path.suffix in {".py", ".sql", ".yaml", ".csv"}):
        code.update(path.read_bytes())
    return code.hexdigest()


def _birth_date(con: duckdb.DuckDBPyConnection, source: str, as_of: date) -> str:
    kinds = {name: kind for name, kind, *_ in con.execute(f"DESCRIBE {source}").fetchall()}
    return (
        f"std_read_date(r.birth_date, DATE '{as_of:%Y-%m-%d}')" if kinds["birth_date"] == "VARCHAR" else "r.birth_date"
    )


def _eras(con: duckdb.DuckDBPyConnection, source: str, as_of: date) -> None:
    """Write the temporary tables std_era and std_default_date."""
    con.execute(
        read_sql(
            ROOM / "era.sql",
            source=source,
            as_of=f"DATE '{as_of:%Y-%m-%d}'",
            birth_date=_birth_date(con, source, as_of),
            historic_share=str(HISTORIC_SHARE),
            historic_fewest=str(HISTORIC_FEWEST),
            default_share=str(DEFAULT_DATE_SHARE),
            default_fewest=str(DEFAULT_DATE_FEWEST),
        )
    )
