"""Households: persons at one place over an interval."""

from pathlib import Path

import duckdb

from linkage_models.statements import read_sql
from linkage_models.thresholds import HOUSEHOLD_OVERLAP_DAYS


def form_households(
    con: duckdb.DuckDBPyConnection, membership: str, record_address: str, deaths: str, communal: str
) -> None:
    """Write the temporary table household_now: one row per view, person and home, group_no numbering the households.

    `membership` is (view, record_id, source, person_id), `record_address` as people.record_address, `deaths` (view,
    person_id, death_date), `communal` (uprn) of care homes and the like, which are no households.
    """
    con.execute(
        read_sql(
            Path(__file__).with_name("households.sql"),
            membership=membership,
            record_address=record_address,
            deaths=deaths,
            communal=communal,
            overlap=str(HOUSEHOLD_OVERLAP_DAYS),
        )
    )
