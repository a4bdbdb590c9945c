"""The scored pairs as a view sees them: which of them it compares, and what each weighs there."""

from pipelines.warehouse import Warehouse

EDGE = "identity.linkage.edge"
# The pairs of EDGE that a view which reads both records does not compare (rules 0), or by other rules; views that
# compare whatever is scored need no such table.
OTHERWISE = "identity.linkage.compared_otherwise"
COMPANY = "identity.linkage.company"


def compared_in(wh: Warehouse, view: str, catalog: str = "identity") -> str:
    """Relation: the pairs of EDGE, without those that a view does not compare though it reads both records. Pairs of
    records outside the view are among them."""
    edge, otherwise = (table.replace("identity", catalog, 1) for table in (EDGE, OTHERWISE))
    if not wh.exists(otherwise):
        return edge
    return (
        f"(SELECT e.* REPLACE (coalesce(o.rules, e.rules) AS rules, CASE WHEN o.rules > 0 AND e.tier = 'model'"
        f" THEN o.first_rule ELSE e.match_key END AS match_key) FROM {edge} e LEFT JOIN {otherwise} o"
        f" ON o.view = '{view}' AND o.record_l = e.record_l AND o.record_r = e.record_r"
        " WHERE o.rules IS DISTINCT FROM 0)"
    )


def view_edges(wh: Warehouse, view: str, catalog: str = "identity") -> str:
    """SELECT of compared_in with the weight and probability that each pair has in a view. Pairs of records outside the
    view are among them."""
    edge, gained = compared_in(wh, view, catalog), COMPANY.replace("identity", catalog, 1)
    if "match_probability" not in wh.columns(gained):
        return f"SELECT e.* FROM {edge} e"
    told = (f"coalesce(c.{name}, e.{name}) AS {name}" for name in ("match_weight", "match_probability"))
    return (
        f"SELECT e.* REPLACE ({', '.join(told)}) FROM {edge} e"
        f" LEFT JOIN {gained} c ON c.view = '{view}' AND c.record_l = e.record_l AND c.record_r = e.record_r"
    )


def open_view_edges(wh: Warehouse, view: str, catalog: str = "identity") -> None:
    """Open the temporary view `view_edge`: the pairs of view_edges."""
    wh.execute(f"CREATE OR REPLACE TEMP VIEW view_edge AS {view_edges(wh, view, catalog)}")
