"""Standardise a table of people."""

from datetime import date
from pathlib import Path

import duckdb

from linkage_models.standardise.install import install
from linkage_models.statements import read_sql
from linkage_models.thresholds import HISTORIC_FEWEST, HISTORIC_SHARE

ROOM = Path(__file__).parent


def standardise_people(con: duckdb.DuckDBPyConnection, source: str, target: str, as_of: date) -> None:
    """Write the temporary table `target`, one row per row of `source`.

    `source` needs record_id, source, role, title, forename, middle, surname, name_text, former_surname, birth_date,
    sex, death_date, nino, nhs_number, phone, email, birth_place, occupation, sensitivity; birth_date is a date, or text
    in any form that std_read_date reads. `as_of` decides which birth dates lie in the future.
    """
    install(con)
    day = f"DATE '{as_of:%Y-%m-%d}'"
    kinds = {name: kind for name, kind, *_ in con.execute(f"DESCRIBE {source}").fetchall()}
    birth_date = f"std_read_date(r.birth_date, {day})" if kinds["birth_date"] == "VARCHAR" else "r.birth_date"
    con.execute(read_sql(ROOM / "one_string.sql", source=source))
    con.execute(
        read_sql(
            ROOM / "people.sql",
            source=source,
            target=target,
            as_of=day,
            birth_date=birth_date,
            historic_share=str(HISTORIC_SHARE),
            historic_fewest=str(HISTORIC_FEWEST),
        )
    )
