"""A clustering per purpose view, its persons with lasting ids, and the ledger of what became of them."""

from collections.abc import Mapping, Sequence

import polars as pl

from linkage_models import thresholds as policy
from linkage_models.clustering import Ints, cluster
from linkage_models.identity import Draw, assign, changed
from pipelines.linkage.certainty import THRESHOLD, thresholds_of, write_thresholds
from pipelines.linkage.company import COMPANY, with_company
from pipelines.linkage.doubts import COLUMNS, REVIEW_EDGE, counted, note_doubts
from pipelines.linkage.drawing import drawer
from pipelines.linkage.graph import Graph, load_graph
from pipelines.warehouse import Warehouse

MEMBERSHIP, PERSON, LEDGER = (f"identity.linkage.{name}" for name in ("membership", "person", "ledger"))
_MEMBERSHIP = "view VARCHAR, record_id VARCHAR, person_id VARCHAR"
_PERSON = "view VARCHAR, person_id VARCHAR, records INTEGER, sources VARCHAR[], first_run VARCHAR, status VARCHAR"
_LEDGER = (
    "ledger_seq BIGINT, run_id VARCHAR, view VARCHAR, event VARCHAR, person_id VARCHAR, other_person_id VARCHAR,"
    " records VARCHAR[], reason VARCHAR"
)


def build_persons(
    wh: Warehouse,
    views: Mapping[str, Sequence[str]],
    key: bytes,
    target_precision: float = policy.TARGET_PRECISION,
    stop: float = policy.CLUSTER_STOP,
) -> dict[str, int]:
    """Cluster each view over the records of its sources; needs EDGE and the tables of load_decisions.

    Writes MEMBERSHIP, PERSON, LEDGER (appended), REVIEW_EDGE and COMPANY. `key` keys the ids. Taking away the sources
    outside a view changes nothing in it. Persons whose records are those of the last run are left as they stand.
    """
    for table, columns in ((MEMBERSHIP, _MEMBERSHIP), (PERSON, _PERSON), (LEDGER, _LEDGER)):
        wh.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
    wh.execute(f"CREATE OR REPLACE TABLE {REVIEW_EDGE} ({COLUMNS})")
    for table in (f"identity.{THRESHOLD}", COMPANY):
        wh.execute(f"DROP TABLE IF EXISTS {table}")
    figures: dict[str, int] = {}
    everyone = load_graph(wh)
    for view, sources in sorted(views.items()):
        graph = with_company(wh, view, sources, everyone.part(sources))
        found = cluster(graph.records.height, graph.edges, graph.constraints, stop=stop)
        figures[f"persons changed in {view}"] = _identify(wh, view, key, graph, found.labels)
        write_thresholds(wh, view, graph.edges.weight, target_precision)
        note_doubts(wh, view, graph, found, thresholds_of(wh, view))
        figures[f"persons in {view}"] = int(found.labels.max(initial=-1)) + 1
    gone = [view for (view,) in wh.rows(f"SELECT DISTINCT view FROM {MEMBERSHIP}") if view not in views]
    for view in gone:
        wh.execute(f"DELETE FROM {MEMBERSHIP} WHERE view = ?", [view])
    for table in (MEMBERSHIP, PERSON, LEDGER, REVIEW_EDGE, COMPANY):
        wh.note(table)
    return figures | counted(wh)


def _identify(wh: Warehouse, view: str, key: bytes, graph: Graph, labels: Ints) -> int:
    """Give the clusters of the view their person ids and write down what changed; return how many clusters did."""
    last = wh.frame(f"SELECT record_id AS member, person_id AS id FROM {MEMBERSHIP} WHERE view = '{view}'")
    now = graph.records.select(member="record_id", source="source", group_no=pl.Series(labels, dtype=pl.Int64))
    groups = give_ids(wh, now, last, drawer(wh, key, view, "person", "p"), LEDGER, view)
    wh.execute(f"DELETE FROM {MEMBERSHIP} WHERE view = ? AND record_id IN (SELECT member FROM group_last)", [view])
    wh.execute(f"INSERT INTO {MEMBERSHIP} SELECT ?, member, id FROM id_now ORDER BY member", [view])
    wh.execute(
        f"""-- one row per person that changed, current or retired
        CREATE OR REPLACE TEMP TABLE person_next AS
        SELECT coalesce(n.person_id, o.person_id) AS person_id, coalesce(n.records, 0) AS records,
            coalesce(n.sources, []) AS sources,
            coalesce(o.first_run, ?) AS first_run, CASE WHEN n.person_id IS NULL THEN 'retired' ELSE 'current' END AS
                status
        FROM (SELECT p.id AS person_id, count(*) AS records, list_sort(list_distinct(list(g.source))) AS sources
              FROM id_now p JOIN group_now g USING (member) GROUP BY p.id) n
        FULL JOIN (SELECT * FROM {PERSON} WHERE view = ? AND person_id IN (SELECT id FROM group_last)) o
            ON o.person_id = n.person_id""",
        [wh.run_id, view],
    )
    wh.execute(f"DELETE FROM {PERSON} WHERE view = ? AND person_id IN (SELECT person_id FROM person_next)", [view])
    wh.execute(f"INSERT INTO {PERSON} SELECT ?, * FROM person_next ORDER BY person_id", [view])
    for table in ("group_now", "group_last", "id_now", "person_next"):
        wh.execute(f"DROP TABLE {table}")
    return groups


def give_ids(wh: Warehouse, now: pl.DataFrame, last: pl.DataFrame, draw: Draw, ledger: str, view: str) -> int:
    """Give the groups that changed their ids and append to the ledger what became of the old ones.

    Writes the temporary tables group_now (member, group_no, ...), group_last (member, id) and id_now (member, id) of
    what changed; returns how many groups did. `now` and `last` are as identity.changed reads them.
    """
    now, last = changed(now, last)
    for name, frame in (("group_now", now), ("group_last", last)):
        wh.con.register("given", frame)
        wh.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM given")
        wh.con.unregister("given")
    assign(wh.con, "group_now", "group_last", draw, "id_now")
    seq = int(wh.scalar(f"SELECT coalesce(max(ledger_seq), 0) FROM {ledger} WHERE view = ?", [view]))
    wh.execute(
        f"""INSERT INTO {ledger} SELECT {seq} + row_number() OVER (ORDER BY event, id, other_id), ?, ?, event, id,
            other_id, members, reason
        FROM id_now_event ORDER BY event, id, other_id""",
        [wh.run_id, view],
    )
    wh.execute("DROP TABLE id_now_event")
    return now["group_no"].n_unique()
