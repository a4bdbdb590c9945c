"""What a pair gains in a view from a pair beside it: who lived with a mover moves along. Each view by itself.

linkage.edge holds what a pair weighs by its own two records. What it weighs in a view, and how probable that makes it,
is told by `pipelines.view_edges`.
"""

from collections.abc import Collection

import numpy as np

from linkage_models.clustering import Floats
from linkage_models.models import Model
from linkage_models.person.company import company, strongest
from pipelines.linkage.certainty import calibration_of
from pipelines.linkage.choice import MODEL
from pipelines.linkage.graph import NODE, NODE_EDGE, Graph, left_out
from pipelines.view_edges import COMPANY, compared_in
from pipelines.warehouse import Warehouse, sql_list

# Temporary tables of a run.
GAINED, GAINER = "company_gained", "company_gainer"
COLUMNS = (
    "view VARCHAR, record_l VARCHAR, record_r VARCHAR, bits DOUBLE, beside_l VARCHAR, beside_r VARCHAR,"
    " match_weight DOUBLE, match_probability DOUBLE"
)


def load_company(wh: Warehouse) -> None:
    """Write the temporary table GAINED: what every pair gains from every pair beside it, records by their places. What
    two pairs say of each other follows from their records alone, so that all views can read it."""
    ((body, terms),) = wh.rows(f"SELECT body, terms FROM {MODEL}")
    read = f"(SELECT node AS record_id, surname_key, from_date, to_date FROM {NODE})"
    company(wh.con, NODE_EDGE, read, Model.of(body, terms), GAINED)
    name_gainers(wh)


def name_gainers(wh: Warehouse) -> None:
    """Write the temporary table GAINER: the records that GAINED names, few of all, so that what follows is quick."""
    wh.execute(
        f"""-- one row per record
        CREATE OR REPLACE TEMP TABLE {GAINER} AS SELECT node, record_id, source FROM {NODE}
        WHERE node IN (SELECT unnest([record_l, record_r, beside_l, beside_r]) FROM {GAINED})"""
    )


def may_gain(everyone: bool) -> str:
    """Query of the pairs, by their places, that gain in any view: by GAINED, or those that COMPANY names already."""
    if everyone:
        return f"SELECT record_l, record_r FROM {GAINED}"
    return (
        f"SELECT l.node AS record_l, r.node AS record_r FROM {COMPANY} c"
        f" JOIN {NODE} l ON l.record_id = c.record_l JOIN {NODE} r ON r.record_id = c.record_r"
    )


def note_company(wh: Warehouse, view: str, sources: Collection[str]) -> None:
    """Add to COMPANY the rows of a view over the pairs of GAINED, with the weight and probability that each has there.
    Leaves the temporary table view_company: the pairs by their places."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {COMPANY} ({COLUMNS})")
    among, gained = f"SELECT node FROM {GAINER} WHERE source IN ({sql_list(sorted(sources))})", GAINED
    for ends in ("record_l, record_r", "beside_l, beside_r") if (out := left_out(wh, view)) else ():
        gained = f"(FROM {gained} WHERE ({ends}) NOT IN ({out}))"
    wh.execute(f"CREATE OR REPLACE TEMP TABLE view_company AS {strongest(gained, among)}")
    said = calibration_of(wh).probability_sql("match_weight")
    wh.execute(
        f"""-- one row per pair of the view that gains
        INSERT INTO {COMPANY}
        SELECT *, {said} FROM (
            SELECT ?, a.record_id, b.record_id, c.bits, x.record_id, y.record_id,
                c.match_weight + c.bits AS match_weight
            FROM view_company c JOIN {GAINER} a ON a.node = c.record_l JOIN {GAINER} b ON b.node = c.record_r
            JOIN {GAINER} x ON x.node = c.beside_l JOIN {GAINER} y ON y.node = c.beside_r
            ORDER BY c.record_l, c.record_r)""",
        [view],
    )


def with_company(wh: Warehouse, view: str, sources: Collection[str], everyone: Graph) -> Graph:
    """The graph of a view with the weights that its pairs have in company; adds the view's rows to COMPANY."""
    note_company(wh, view, sources)
    return _raised(wh, view, sources, everyone)


def with_known_company(wh: Warehouse, view: str, sources: Collection[str], everyone: Graph) -> Graph:
    """The graph of a view with the weights that COMPANY gives its pairs."""
    wh.execute(
        f"""-- one row per pair of the view that gains, by places
        CREATE OR REPLACE TEMP TABLE view_company AS
        SELECT l.node AS record_l, r.node AS record_r, c.bits FROM {COMPANY} c
        JOIN {NODE} l ON l.record_id = c.record_l JOIN {NODE} r ON r.record_id = c.record_r WHERE c.view = '{view}'"""
    )
    return _raised(wh, view, sources, everyone)


def _raised(wh: Warehouse, view: str, sources: Collection[str], everyone: Graph) -> Graph:
    gained = wh.con.execute("SELECT record_l, record_r, bits FROM view_company").fetchnumpy()
    wh.execute("DROP TABLE view_company")
    raised = everyone.raised(*(np.asarray(gained[name]) for name in ("record_l", "record_r", "bits")))
    if out := left_out(wh, view):
        apart = wh.con.execute(out).fetchnumpy()
        raised = raised.without(*(np.asarray(apart[name]) for name in ("record_l", "record_r")))
    return raised.part(sources)


def linking_weights(wh: Warehouse, view: str, sources: Collection[str], least: float) -> Floats:
    """Weights in a view, from the least on, of the pairs between its records."""
    inside = " AND ".join(f"source_{side} IN ({sql_list(sorted(sources))})" for side in "lr")
    found = wh.con.execute(
        f"""WITH gained AS (SELECT record_l, record_r, match_weight FROM {COMPANY} WHERE view = '{view}')
        SELECT match_weight FROM {compared_in(wh, view)} ANTI JOIN gained USING (record_l, record_r)
        WHERE match_weight >= {least!r} AND {inside}
        UNION ALL SELECT match_weight FROM gained WHERE match_weight >= {least!r}"""
    ).fetchnumpy()
    return np.asarray(found["match_weight"])


def in_words(wh: Warehouse, view: str, left: str, right: str, catalog: str) -> list[str]:
    """What a pair of records gains from its company in a view, as sentences; none if nothing."""
    table = COMPANY.replace("identity", catalog, 1)
    if not wh.exists(table):
        return []
    gained = wh.rows(
        f"SELECT bits, beside_l, beside_r FROM {table} WHERE view = ? AND record_l = least(?, ?)"
        " AND record_r = greatest(?, ?)",
        [view, left, right, left, right],
    )
    return [
        f"Between the same two homes {one} and {other} seem to be one person too: who lived with a mover moved along,"
        f" {bits:+.1f} bits."
        for bits, one, other in gained
    ]
