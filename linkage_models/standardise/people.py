"""Standardise a table of people."""

from datetime import date
from pathlib import Path

import duckdb

from linkage_models.standardise.install import install
from linkage_models.statements import read_sql
from linkage_models.thresholds import HISTORIC_FEWEST, HISTORIC_SHARE

SQL = Path(__file__).with_name("people.sql")


def standardise_people(con: duckdb.DuckDBPyConnection, source: str, target: str, as_of: date) -> None:
    """Write the temporary table `target`, one row per row of `source`.

    `source` needs record_id, source, role, title, forename, middle, surname, name_text, former_surname, birth_date,
    sex,
    death_date, nino, nhs_number, phone, email, sensitivity; `as_of` decides which birth dates lie in the future.
    """
    install(con)
    con.execute(
        read_sql(
            SQL,
            source=source,
            target=target,
            as_of=f"DATE '{as_of:%Y-%m-%d}'",
            historic_share=str(HISTORIC_SHARE),
            historic_fewest=str(HISTORIC_FEWEST),
        )
    )
