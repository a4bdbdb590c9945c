"""A clustering per purpose view, its persons with lasting ids, the ledger and the pairs for review."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from linkage_models import thresholds as policy
from linkage_models.clustering import Clustering, Edges, cluster
from linkage_models.identity import assign
from pipelines.linkage.certainty import THRESHOLD, thresholds_of, write_thresholds
from pipelines.linkage.constraints import constraints_of
from pipelines.linkage.drawing import drawer
from pipelines.linkage.edges import EDGE
from pipelines.people.records import RECORD
from pipelines.warehouse import Warehouse

MEMBERSHIP, PERSON, LEDGER, REVIEW_EDGE = (
    f"identity.linkage.{name}" for name in ("membership", "person", "ledger", "review_edge")
)
_MEMBERSHIP = "view VARCHAR, record_id VARCHAR, person_id VARCHAR"
_PERSON = "view VARCHAR, person_id VARCHAR, records INTEGER, sources VARCHAR[], first_run VARCHAR, status VARCHAR"
_LEDGER = (
    "ledger_seq BIGINT, run_id VARCHAR, view VARCHAR, event VARCHAR, person_id VARCHAR, other_person_id VARCHAR,"
    " records VARCHAR[], reason VARCHAR"
)
_REVIEW = "view VARCHAR, record_l VARCHAR, record_r VARCHAR, match_weight DOUBLE, reason VARCHAR"


def build_persons(
    wh: Warehouse, views: Mapping[str, Sequence[str]], key: bytes, target_precision: float = policy.TARGET_PRECISION
) -> dict[str, int]:
    """Cluster each view over the records of its sources; needs EDGE and the tables of load_decisions.

    Writes linkage.cluster_<view>, MEMBERSHIP, PERSON, LEDGER (appended) and REVIEW_EDGE. `key` keys the ids. Taking
    away the
    sources outside a view changes nothing in it.
    """
    for table, columns in ((MEMBERSHIP, _MEMBERSHIP), (PERSON, _PERSON), (LEDGER, _LEDGER)):
        wh.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
    wh.execute(f"CREATE OR REPLACE TABLE {REVIEW_EDGE} ({_REVIEW})")
    wh.execute(f"DROP TABLE IF EXISTS identity.{THRESHOLD}")
    figures: dict[str, int] = {}
    for view, sources in sorted(views.items()):
        found = _cluster_view(wh, view, sources)
        _identify(wh, view, key)
        write_thresholds(wh, view, "view_node", target_precision)
        _note_review(wh, view, found)
        figures[f"persons in {view}"] = int(
            wh.scalar(f"SELECT count(*) FROM {PERSON} WHERE view = ? AND status = 'current'", [view])
        )
    gone = [view for (view,) in wh.rows(f"SELECT DISTINCT view FROM {MEMBERSHIP}") if view not in views]
    for view in gone:
        wh.execute(f"DELETE FROM {MEMBERSHIP} WHERE view = ?", [view])
    for table in (MEMBERSHIP, PERSON, LEDGER, REVIEW_EDGE):
        wh.note(table)
    figures["pairs to review"] = int(wh.scalar(f"SELECT count(*) FROM {REVIEW_EDGE}"))
    return figures


def _cluster_view(wh: Warehouse, view: str, sources: Sequence[str]) -> Clustering:
    """Write the temporary table view_node and linkage.cluster_<view>."""
    frame = pl.DataFrame({"source": sorted(sources)}, schema={"source": pl.String})
    wh.con.register("view_source", frame)
    wh.execute(
        f"""-- one row per record of the view, numbered in the order of record_id
        CREATE OR REPLACE TEMP TABLE view_node AS
        SELECT row_number() OVER (ORDER BY record_id) - 1 AS node, record_id, source
        FROM {RECORD} WHERE is_person AND source IN (FROM view_source)"""
    )
    wh.con.unregister("view_source")
    edges = wh.con.execute(
        f"""-- one row per edge inside the view
        SELECT l.node AS left, r.node AS right, e.match_weight AS weight
        FROM {EDGE} e JOIN view_node l ON l.record_id = e.record_l JOIN view_node r ON r.record_id = e.record_r"""
    ).fetchnumpy()
    records = int(wh.scalar("SELECT count(*) FROM view_node"))
    found = cluster(
        records,
        Edges(*(np.asarray(edges[name]) for name in ("left", "right", "weight"))),
        constraints_of(wh, "view_node"),
    )
    labels = pl.DataFrame({"node": np.arange(records), "cluster_id": found.labels.astype(np.int32)})
    wh.con.register("view_label", labels)
    wh.table(
        f"identity.linkage.cluster_{view}",
        "SELECT n.record_id, v.cluster_id FROM view_node n JOIN view_label v USING (node) ORDER BY n.record_id",
    )
    wh.con.unregister("view_label")
    return found


def _identify(wh: Warehouse, view: str, key: bytes) -> None:
    """Give the clusters of the view their person ids and write down what changed."""
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE group_now AS SELECT record_id AS member, cluster_id AS group_no FROM"
        f" identity.linkage.cluster_{view}"
    )
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE group_last AS SELECT record_id AS member, person_id AS id FROM"
        f" {MEMBERSHIP} WHERE view = ?",
        [view],
    )
    assign(wh.con, "group_now", "group_last", drawer(wh, key, view, "person", "p"), "person_now")
    seq = int(wh.scalar(f"SELECT coalesce(max(ledger_seq), 0) FROM {LEDGER} WHERE view = ?", [view]))
    wh.execute(
        f"""INSERT INTO {LEDGER} SELECT {seq} + row_number() OVER (ORDER BY event, id, other_id), ?, ?, event, id,
            other_id, members, reason
        FROM person_now_event ORDER BY event, id, other_id""",
        [wh.run_id, view],
    )
    wh.execute(f"DELETE FROM {MEMBERSHIP} WHERE view = ?", [view])
    wh.execute(f"INSERT INTO {MEMBERSHIP} SELECT ?, member, id FROM person_now ORDER BY member", [view])
    wh.execute(
        f"""-- one row per person, current or retired
        CREATE OR REPLACE TEMP TABLE person_next AS
        SELECT coalesce(n.person_id, o.person_id) AS person_id, coalesce(n.records, 0) AS records,
            coalesce(n.sources, []) AS sources,
            coalesce(o.first_run, ?) AS first_run, CASE WHEN n.person_id IS NULL THEN 'retired' ELSE 'current' END AS
                status
        FROM (SELECT p.id AS person_id, count(*) AS records, list_sort(list_distinct(list(v.source))) AS sources
              FROM person_now p JOIN view_node v ON v.record_id = p.member GROUP BY p.id) n
        FULL JOIN (SELECT * FROM {PERSON} WHERE view = ?) o ON o.person_id = n.person_id""",
        [wh.run_id, view],
    )
    wh.execute(f"DELETE FROM {PERSON} WHERE view = ?", [view])
    wh.execute(f"INSERT INTO {PERSON} SELECT ?, * FROM person_next ORDER BY person_id", [view])


def _note_review(wh: Warehouse, view: str, found: Clustering) -> None:
    """Pairs for a person to look at: near the threshold, strong but cut, stopped by a constraint, decided both ways."""
    at = thresholds_of(wh, view)
    wh.con.register("stopped_pair", pl.DataFrame({"left": found.stopped[:, 0], "right": found.stopped[:, 1]}))
    wh.execute(
        f"""INSERT INTO {REVIEW_EDGE}
        WITH pair AS (
            SELECT e.record_l, e.record_r, e.match_weight, l.person_id = r.person_id AS together
            FROM {EDGE} e
            JOIN {MEMBERSHIP} l ON l.view = $view AND l.record_id = e.record_l
            JOIN {MEMBERSHIP} r ON r.view = $view AND r.record_id = e.record_r
            WHERE e.match_weight >= {at.review}
        ), reasoned AS (
            SELECT record_l, record_r, match_weight, CASE WHEN NOT together AND match_weight >= {at.link}
                THEN 'strong pair kept apart'
                WHEN match_weight < {at.link} THEN 'between the thresholds' END AS reason FROM pair
            UNION ALL
            SELECT l.record_id, r.record_id, NULL, 'merge forbidden by a constraint' FROM stopped_pair s
            JOIN view_node l ON l.node = s.left JOIN view_node r ON r.node = s.right
            UNION ALL
            SELECT record_l, record_r, NULL, 'decision suspended: a record has changed since' FROM suspended_decision
            JOIN view_node l ON l.record_id = record_l JOIN view_node r ON r.record_id = record_r
        )
        SELECT $view, * FROM reasoned WHERE reason IS NOT NULL ORDER BY reason, record_l, record_r""",
        {"view": view},
    )
    wh.con.unregister("stopped_pair")
    if len(found.suspended):
        must = wh.rows(
            "SELECT l.record_id, r.record_id, l.node, r.node FROM must_link JOIN view_node l ON l.record_id ="
            " record_l JOIN view_node r ON r.record_id = record_r ORDER BY l.node, r.node"
        )
        contradicted = [(view, must[place][0], must[place][1]) for place in found.suspended.tolist()]
        wh.con.executemany(
            f"INSERT INTO {REVIEW_EDGE} VALUES (?, ?, ?, NULL, 'decisions contradict each other')", contradicted
        )
