"""A clustering per purpose view, its persons with lasting ids, and the ledger of what became of them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from linkage_models import clustering
from linkage_models import thresholds as policy
from linkage_models.clustering import Clustering, Ints, cluster
from linkage_models.identity import Draw, assign, changed
from linkage_models.stop_level import stop_level
from pipelines.linkage.certainty import (
    STOP_LEVEL,
    THRESHOLD,
    calibration_of,
    design_of,
    least_asked,
    write_stop_level,
    write_thresholds,
)
from pipelines.linkage.company import (
    GAINED,
    GAINER,
    linking_weights,
    load_company,
    may_gain,
    with_company,
    with_known_company,
)
from pipelines.linkage.constraints import touch_decided
from pipelines.linkage.doubts import COLUMNS, REVIEW_EDGE, counted, note_doubts, oversized_from
from pipelines.linkage.drawing import drawer
from pipelines.linkage.edges import MODEL
from pipelines.linkage.former_keys import succeed
from pipelines.linkage.graph import NODE, NODE_EDGE, Graph, load_graph, write_nodes
from pipelines.linkage.names_alone import WARY, silent_lists, warily
from pipelines.linkage.reach import ANEW, REACHED, find_reached, renew_company
from pipelines.people.records import RECORD
from pipelines.people.touched import HOMES, PERSONS, code_mark, settle, touch, unsettle, why_all
from pipelines.view_edges import COMPANY
from pipelines.warehouse import Warehouse, sql_list

MEMBERSHIP, PERSON, LEDGER = (f"identity.linkage.{name}" for name in ("membership", "person", "ledger"))
_MEMBERSHIP = "view VARCHAR, record_id VARCHAR, person_id VARCHAR"
_PERSON = "view VARCHAR, person_id VARCHAR, records INTEGER, sources VARCHAR[], first_run VARCHAR, status VARCHAR"
_LEDGER = (
    "ledger_seq BIGINT, run_id VARCHAR, view VARCHAR, event VARCHAR, person_id VARCHAR, other_person_id VARCHAR,"
    " records VARCHAR[], reason VARCHAR"
)
DOUBTS = "doubts"
_MODELS, _ROOM = Path(clustering.__file__).parent, Path(__file__).parent
_CODE = [
    *(
        _MODELS / name
        for name in (
            *(
                "clustering.py",
                "bridges.py",
                "calibration.py",
                "marks.py",
                "merging.py",
                "stop_level.py",
                "thresholds.py",
            ),
            "person/company.py",
        )
    ),
    *(
        _ROOM / f"{name}.py"
        for name in ("certainty", "company", "constraints", "doubts", "graph", "names_alone", "persons", "reach")
    ),
]


def build_persons(
    wh: Warehouse,
    views: Mapping[str, Sequence[str]],
    key: bytes,
    target_precision: float = policy.TARGET_PRECISION,
    stop: float = policy.CLUSTER_STOP,
    stated: bool = False,
) -> dict[str, int | str]:
    """Cluster each view over the records of its sources; needs EDGE and the tables of load_decisions.

    Writes MEMBERSHIP, PERSON, LEDGER (appended), REVIEW_EDGE and COMPANY. `key` keys the ids. Taking away the sources
    outside a view changes nothing in it. What does not hang on a touched record is left as the last run made it.

    `stated`: somebody has asked for the target precision, so the persons must be expected to reach it too. The stop
    level of a view is then raised until they are, and STOP_LEVEL says where to.
    """
    silent = silent_lists(wh)
    everything = why_all(wh, PERSONS, _basis(wh, views, silent, (target_precision, stop, stated)))
    if not everything and silent:  # any pair may be another's rival
        everything = "lists that do not show whether anybody comes twice"
    if not everything and stated:  # any pair may move the level
        everything = "a stated target precision"
    for table, columns in ((MEMBERSHIP, _MEMBERSHIP), (PERSON, _PERSON), (LEDGER, _LEDGER), (REVIEW_EDGE, COLUMNS)):
        wh.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
    figures: dict[str, int | str] = {"members under a new key": succeed(wh, MEMBERSHIP)}
    touch_decided(wh)
    if not everything:
        renew_company(wh, views)
        figures["records clustered anew"] = find_reached(wh, MEMBERSHIP, stop)
    linking = _Linking(wh, views, key, silent, target_precision, stop, stated)
    limits = linking.link(everything is not None)
    if not everything and (everything := why_all(wh, DOUBTS, limits)):
        limits = linking.link(True)
    gone = [view for (view,) in wh.rows(f"SELECT DISTINCT view FROM {MEMBERSHIP}") if view not in views]
    for view in gone:
        wh.execute(f"DELETE FROM {MEMBERSHIP} WHERE view = ?", [view])
    noted = [MEMBERSHIP, PERSON, LEDGER, REVIEW_EDGE, COMPANY, f"identity.{THRESHOLD}"]
    for table in (*noted, *(x for x in (WARY, f"identity.{STOP_LEVEL}") if wh.exists(x))):
        wh.note(table)
    settle(wh, PERSONS, _basis(wh, views, silent, (target_precision, stop, stated)))
    settle(wh, DOUBTS, limits)
    if everything:
        unsettle(wh, HOMES)
    figures["clustered"] = f"everyone: {everything}" if everything else "only what hangs on touched records"
    return figures | linking.figures | counted(wh)


def _basis(
    wh: Warehouse, views: Mapping[str, Sequence[str]], silent: Sequence[str], asked: tuple[float, float, bool]
) -> dict[str, str]:
    """What all persons follow from beside the records and their edges: in words -> what it is."""
    model = wh.rows(f"SELECT body, terms FROM {MODEL}")
    held = int(wh.scalar(f"SELECT count(*) FROM {MEMBERSHIP}")) if wh.exists(MEMBERSHIP) else 0
    return {
        "the views": repr({view: sorted(sources) for view, sources in sorted(views.items())}),
        "the settings of clustering": repr(asked),
        "the model": hashlib.sha256(repr(model).encode()).hexdigest(),
        "the clustering or its code": code_mark(_CODE),
        "the matching engine": duckdb.__version__,
        "the lists that tell too little": repr(silent),
        "what stood in its tables": str(held),  # an erasure takes records out of them
    }


@dataclass
class _Linking:
    """One clustering of every view, of everyone or of those in REACHED."""

    wh: Warehouse
    views: Mapping[str, Sequence[str]]
    key: bytes
    silent: Sequence[str]
    target_precision: float
    stop: float
    stated: bool
    figures: dict[str, int | str] = field(default_factory=dict)

    def link(self, everyone: bool) -> dict[str, str]:
        """Cluster; returns by view what its doubts follow from: in words -> what it is."""
        wh = self.wh
        if everyone:
            write_nodes(wh)
            load_company(wh)
            for table in (COMPANY, WARY):
                wh.execute(f"DROP TABLE IF EXISTS {table}")
            wh.execute(f"DELETE FROM {REVIEW_EDGE}")
        else:
            write_nodes(wh, f"SELECT r.*, t.anew FROM {RECORD} r JOIN {REACHED} t ON t.h = hash(r.record_id)")
            wh.execute(f"DELETE FROM {REVIEW_EDGE} WHERE hash(record_l) IN {ANEW} OR hash(record_r) IN {ANEW}")
        for table in (THRESHOLD, STOP_LEVEL):
            wh.execute(f"DROP TABLE IF EXISTS identity.{table}")
        # any pair of a list that tells too little may be another's rival
        least = -np.inf if silent_lists(wh) else least_asked(wh, self.stop)
        graph, limits = load_graph(wh, may_gain(everyone), self.stop, least), dict[str, str]()
        views = sorted(self.views)
        for some in [[view] for view in views] if everyone else [views]:  # few records are held for all views at once
            limits |= self._link(some, graph, everyone)
        for table in (GAINED, GAINER, NODE_EDGE, NODE):
            wh.execute(f"DROP TABLE IF EXISTS {table}")
        return limits

    def _link(self, views: Sequence[str], graph: Graph, everyone: bool) -> dict[str, str]:
        """As link, of some views, from the graph of all."""
        wh, limits, made = self.wh, dict[str, str](), list[tuple[str, Graph, Clustering]]()
        for view in views:
            part = (with_company if everyone else with_known_company)(wh, view, self.views[view], graph)
            sure = warily(wh, view, part, self.silent, self.target_precision, self.stop)
            made.append((view, part, self._clustered(view, sure)))
        changed = _identify(wh, self.key, {view: (part, found.labels) for view, part, found in made}, everyone)
        for view, part, found in made:
            read = part.edges.weight if everyone else linking_weights(wh, view, self.views[view], policy.LINK_WEIGHT)
            at, sizes = write_thresholds(wh, view, read, self.target_precision), _sizes(wh, view)
            note_doubts(wh, view, part, found, at, oversized_from(sizes))
            limits[f"the thresholds in {view}"] = repr((at.link, at.review))
            limits[f"what is oversized in {view}"] = str(oversized_from(sizes))
            told = f"persons changed in {view}"
            # a second clustering in one run finds what the first made
            self.figures |= {told: changed[view] + int(self.figures.get(told, 0)), f"persons in {view}": len(sizes)}
        return limits

    def _clustered(self, view: str, graph: Graph) -> Clustering:
        """The clusters of a view, at a stop level at which they are expected to reach the target where it is stated."""
        stop, found = self.stop, _clustered(self.wh, view, graph, self.stop)
        if self.stated and set(self.views[view]).difference(self.silent):  # lists that tell too little reach it as is
            sure = calibration_of(self.wh)
            # at another level other groups are there to join: looked at until they reach it
            while (raised := stop_level(sure, found.joins, self.target_precision))[0] > stop:
                stop = raised[0]
                found = _clustered(self.wh, view, graph, stop)
            write_stop_level(self.wh, view, stop, raised[1])
        return found


def _sizes(wh: Warehouse, view: str) -> Ints:
    """How many records each person of the view has."""
    held = f"SELECT records::BIGINT AS records FROM {PERSON} WHERE view = ? AND status = 'current'"
    return np.asarray(wh.con.execute(held, [view]).fetchnumpy()["records"], dtype=np.int64)


def _clustered(wh: Warehouse, view: str, graph: Graph, stop: float) -> Clustering:
    """The clusters of the records that are to be clustered anew; the others are with whom they were."""
    anew = graph.records["anew"].to_numpy()
    part = graph.among(anew)

    def mark(places: Ints) -> NDArray[np.uint64]:
        with wh.given(part.records["record_id"].gather(places).to_frame()):
            found = wh.con.execute("SELECT md5_number_lower(record_id) AS mark FROM given").fetchnumpy()
        return np.asarray(found["mark"])

    found = cluster(part.records.height, part.edges, part.constraints, stop=stop, lone=design_of(wh).lone, mark=mark)
    if part is graph:
        return found
    held = f"SELECT record_id, person_id FROM {MEMBERSHIP} SEMI JOIN {NODE} USING (record_id) WHERE view = '{view}'"
    person = graph.records.join(wh.frame(held), on="record_id", how="left", maintain_order="left")["person_id"]
    labels = part.records.height + person.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    labels[anew] = found.labels
    pairs = np.flatnonzero(anew[graph.edges.left] & anew[graph.edges.right])
    return replace(
        found,
        labels=np.unique(labels, return_inverse=True)[1],
        suspended=np.flatnonzero(anew[graph.constraints.must].all(axis=1))[found.suspended],
        stopped=pairs[found.stopped],
        bridges=pairs[found.bridges],
        thin=pairs[found.thin],
    )


def _identify(wh: Warehouse, key: bytes, made: Mapping[str, tuple[Graph, Ints]], everyone: bool) -> dict[str, int]:
    """Give the clusters of each view, labels of its records, their person ids and write down what changed; return how
    many clusters did."""
    held = f"SELECT view, record_id AS member, person_id AS id FROM {MEMBERSHIP} WHERE view IN ({sql_list(made)})"
    last = wh.frame(held if everyone else f"{held} AND hash(record_id) IN {ANEW}")
    given = dict[str, Given]()
    for view, (graph, labels) in made.items():
        now = graph.records.with_columns(group_no=pl.Series(labels, dtype=pl.Int64)).filter("anew")
        now = now.select("source", "group_no", member="record_id")
        then = last.filter(pl.col("view") == view).drop("view")
        given[view] = give_ids(wh, now, then, drawer(wh, key, view, "person", "p"), LEDGER, view)
    del last

    def of_views(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        return pl.concat([frame.select(pl.lit(view).alias("view"), pl.all()) for view, frame in frames.items()])

    was = of_views({view: each.last for view, each in given.items()})
    now = of_views({view: each.now.with_columns(person_id=each.ids["id"]) for view, each in given.items()})
    if not everyone:  # else all homes are made anew
        with wh.given(pl.concat([now["member"], was["member"]]).unique().to_frame("record_id")):
            touch(wh, (HOMES,), "SELECT record_id, NULL AS lost FROM given")
    with wh.given(was.select("view", person_id="id").unique()):
        gone = wh.frame(f"SELECT view, person_id, first_run FROM {PERSON} SEMI JOIN given USING (view, person_id)")
    # a source by its number: distinct numbers are found far quicker than distinct names
    numbered = pl.Enum(now["source"].unique().sort())
    persons = (
        now.select(
            pl.col("view").cast(pl.Enum(sorted(given))), "group_no", pl.col("source").cast(numbered), "person_id"
        )
        .sort("view", "group_no", "source")
        .group_by("view", "group_no", maintain_order=True)
        .agg(
            pl.col("person_id").first(),
            records=pl.len().cast(pl.Int32),
            sources=pl.col("source").unique(maintain_order=True),
        )
        .with_columns(pl.col("view").cast(pl.String), pl.col("sources").cast(pl.List(pl.String)))
        .join(gone, on=["view", "person_id"], how="full", coalesce=True)
        .sort("view", "group_no", "person_id")
        .select(
            "view",
            "person_id",
            pl.col("records").fill_null(0),
            pl.col("sources").fill_null(pl.lit([], dtype=pl.List(pl.String))),
            pl.col("first_run").fill_null(wh.run_id),
            status=pl.when(pl.col("records").is_null()).then(pl.lit("retired")).otherwise(pl.lit("current")),
        )
    )
    with wh.given(was):
        wh.execute(f"DELETE FROM {MEMBERSHIP} WHERE (view, record_id) IN (SELECT view, member FROM given)")
        wh.execute(f"DELETE FROM {PERSON} WHERE (view, person_id) IN (SELECT view, id FROM given)")
    with wh.given(of_views({view: each.ids for view, each in given.items()})):
        wh.execute(f"INSERT INTO {MEMBERSHIP} SELECT view, member, id FROM given")
    with wh.given(persons):
        wh.execute(f"INSERT INTO {PERSON} FROM given")
    return {view: each.groups for view, each in given.items()}


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
