"""Who of the attributes store is on the national data opt-out list: by random id, with the list's date."""

import polars as pl

from pipelines.governance.opt_out import newest_list, opted_out
from pipelines.operations import Operations
from pipelines.warehouse import Warehouse

TABLE, LIST = "attributes.attributes.opted_out", "attributes.attributes.opt_out_list"


def mark_opted_out(wh: Warehouse, operations: Operations) -> int:
    """Build `opted_out` (person_id) and `opt_out_list` (one row: its date, none if no list came in); needs risk_member.

    A person is out if any number on any of their records is on the list.
    """
    rows = wh.rows(
        "SELECT DISTINCT m.person_id || ' ' || r.nhs_number, r.nhs_number FROM risk_member AS m "
        "JOIN identity.people.record AS r USING (record_id) WHERE r.nhs_number IS NOT NULL"
    )
    out = sorted({pair.split(" ", 1)[0] for pair in opted_out(operations, dict(rows))})
    with wh.given(pl.DataFrame({"person_id": out}, schema={"person_id": pl.String})):
        wh.table(TABLE, "-- a person who opted out (person_id)\nSELECT person_id FROM given ORDER BY person_id")
    wh.table(LIST, "-- the list that was in force (one row)\nSELECT ?::DATE AS list_date", [newest_list(operations)])
    return len(out)
