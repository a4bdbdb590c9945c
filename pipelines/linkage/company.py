"""What a pair gains in a view from a pair beside it: who lived with a mover moves along. Each view by itself."""

from collections.abc import Collection

from linkage_models.models import Model
from linkage_models.person.company import company
from pipelines.linkage.edges import EDGE, MODEL
from pipelines.linkage.graph import Graph
from pipelines.people.records import RECORD
from pipelines.warehouse import Warehouse

COMPANY = "identity.linkage.company"
COLUMNS = "view VARCHAR, record_l VARCHAR, record_r VARCHAR, bits DOUBLE, beside_l VARCHAR, beside_r VARCHAR"


def with_company(wh: Warehouse, view: str, sources: Collection[str], graph: Graph) -> Graph:
    """The view's `graph` with the weights that its pairs have in company; adds the view's rows to COMPANY."""
    listed = ", ".join("'" + source.replace("'", "''") + "'" for source in sorted(sources)) or "NULL"
    wh.execute(
        f"CREATE OR REPLACE TEMP VIEW view_edge AS SELECT * FROM {EDGE}"
        f" WHERE source_l IN ({listed}) AND source_r IN ({listed})"
    )
    ((body, terms),) = wh.rows(f"SELECT body, terms FROM {MODEL}")
    # records are turned round there as whole rows: with all their columns it takes three times as long
    read = f"(SELECT record_id, initial, surname_key, home_key, from_date, to_date FROM {RECORD})"
    company(wh.con, "view_edge", read, Model.of(body, terms), "view_company")
    wh.execute(f"CREATE TABLE IF NOT EXISTS {COMPANY} ({COLUMNS})")
    wh.execute(f"INSERT INTO {COMPANY} SELECT ?, * FROM view_company", [view])
    gained = wh.frame("SELECT record_l, record_r, bits FROM view_company ORDER BY record_l, record_r")
    wh.execute("DROP VIEW view_edge")
    wh.execute("DROP TABLE view_company")
    return graph.raised(gained)


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
