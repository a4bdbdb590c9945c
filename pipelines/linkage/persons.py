"""A clustering per purpose view, its persons with lasting ids, and the ledger of what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from linkage_models import thresholds as policy
from linkage_models.clustering import Ints, cluster
from linkage_models.identity import Draw, assign, changed
from pipelines.linkage.certainty import THRESHOLD, thresholds_of, write_thresholds
from pipelines.linkage.company import COMPANY, GAINED, load_company, with_company
from pipelines.linkage.doubts import COLUMNS, REVIEW_EDGE, counted, note_doubts
from pipelines.linkage.drawing import drawer
from pipelines.linkage.former_keys import succeed
from pipelines.linkage.graph import NODE, NODE_EDGE, Graph, load_graph
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
    wh.execute(f"DROP TABLE IF EXISTS identity.{THRESHOLD}")
    figures: dict[str, int] = {"members under a new key": succeed(wh, MEMBERSHIP)}
    everyone = load_graph(wh)
    load_company(wh)
    for view, sources in sorted(views.items()):
        graph = with_company(wh, view, sources, everyone)
        mark = graph.records["mark"].to_numpy()
        found = cluster(graph.records.height, graph.edges, graph.constraints, stop=stop, mark=mark)
        figures[f"persons changed in {view}"] = _identify(wh, view, key, graph, found.labels)
        write_thresholds(wh, view, graph.edges.weight, target_precision)
        note_doubts(wh, view, graph, found, thresholds_of(wh, view))
        figures[f"persons in {view}"] = int(found.labels.max(initial=-1)) + 1
    for table in (GAINED, NODE_EDGE, NODE):
        wh.execute(f"DROP TABLE {table}")
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
    given = give_ids(wh, now, last, drawer(wh, key, view, "person", "p"), LEDGER, view)
    gone = wh.frame(f"SELECT person_id, first_run FROM {PERSON} WHERE view = '{view}'").join(
        given.last.select(person_id="id").unique(), on="person_id", how="semi"
    )
    members = given.now.select("group_no", "source", person_id=given.ids["id"])
    # a source by its number: distinct numbers are found far quicker than distinct names
    numbered = pl.Enum(members["source"].unique().sort())
    known = members.select("group_no", pl.col("source").cast(numbered)).unique().sort("source")
    persons = (
        members.group_by("group_no")
        .agg(pl.col("person_id").first(), records=pl.len().cast(pl.Int32))
        .join(known.group_by("group_no").agg(sources="source"), on="group_no")
        .with_columns(pl.col("sources").cast(pl.List(pl.String)))
        .join(gone, on="person_id", how="full", coalesce=True)
        .sort("group_no", "person_id")
        .select(
            "person_id",
            pl.col("records").fill_null(0),
            pl.col("sources").fill_null(pl.lit([], dtype=pl.List(pl.String))),
            pl.col("first_run").fill_null(wh.run_id),
            status=pl.when(pl.col("records").is_null()).then(pl.lit("retired")).otherwise(pl.lit("current")),
        )
    )
    with wh.given(given.last):
        wh.execute(f"DELETE FROM {MEMBERSHIP} WHERE view = ? AND record_id IN (SELECT member FROM given)", [view])
        wh.execute(f"DELETE FROM {PERSON} WHERE view = ? AND person_id IN (SELECT id FROM given)", [view])
    with wh.given(given.ids):
        wh.execute(f"INSERT INTO {MEMBERSHIP} SELECT ?, member, id FROM given", [view])
    with wh.given(persons):
        wh.execute(f"INSERT INTO {PERSON} SELECT ?, * FROM given", [view])
    return given.groups


@dataclass(frozen=True)
class Given:
    """The members (member, group_no, ...) and the last ids (member, id) of the groups that changed, what ids (member,
    id) they have now, row by row, and how many groups these are."""

    now: pl.DataFrame
    last: pl.DataFrame
    ids: pl.DataFrame
    groups: int


def give_ids(wh: Warehouse, now: pl.DataFrame, last: pl.DataFrame, draw: Draw, ledger: str, view: str) -> Given:
    """Give the groups that changed their ids and append to the ledger what became of the old ones. `now` and `last` are
    as identity.changed reads them."""
    now, last = changed(now, last)
    found = assign(now, last, draw)
    seq = int(wh.scalar(f"SELECT coalesce(max(ledger_seq), 0) FROM {ledger} WHERE view = ?", [view]))
    with wh.given(found.events.with_row_index("place", offset=seq + 1)):
        wh.execute(
            f"INSERT INTO {ledger} SELECT place, ?, ?, event, id, other_id, members, reason FROM given",
            [wh.run_id, view],
        )
    return Given(now, last, found.ids, now["group_no"].n_unique())
