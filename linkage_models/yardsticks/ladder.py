"""A deterministic ladder: rungs of exact agreement, strictest first, each linking what no rung before it linked.

The usual practice where no model is used (NHS and ONS match keys): numbers, then names with birth date, then names with
an address. A rung without birth date asks that two known birth dates agree.
"""

from collections.abc import Iterator

import duckdb

from linkage_models.yardsticks.components import at_threshold, graph, write

RUNGS: tuple[tuple[str, ...], ...] = (
    ("nino",),
    ("nhs_number",),
    ("forename_root", "surname_key", "birth_date"),
    ("forename_root", "birth_date", "postcode"),
    ("initial", "surname_key", "birth_date", "postcode"),
    ("forename_root", "surname_key", "home_key"),
    ("forename_root", "surname_key", "postcode"),
)


def ladder(con: duckdb.DuckDBPyConnection, records: str, edges: str, truth: str) -> Iterator[str]:
    """Components of the pairs that meet a rung."""
    pairs = " UNION ".join(
        f"SELECT l.record_id AS record_l, r.record_id AS record_r FROM {records} l JOIN {records} r"
        f" ON l.record_id < r.record_id AND {' AND '.join(f'l.{column} = r.{column}' for column in rung)}"
        + ("" if "birth_date" in rung else " AND (l.birth_date = r.birth_date) IS NOT FALSE")
        for rung in RUNGS
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE rung_pair AS SELECT *, 0.0 AS match_weight FROM ({pairs})")
    seen = graph(con, "rung_pair", truth)
    con.execute("DROP TABLE rung_pair")
    write(con, seen, at_threshold(seen, 0.0))
    yield "deterministic ladder"
