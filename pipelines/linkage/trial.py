"""What a model makes of the published records: scored and clustered in memory beside them, as a run would; nothing of
it is kept."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linkage_models.calibration import Thresholds
from linkage_models.estimation import Estimate
from linkage_models.models import Model
from linkage_models.person.records import link_table
from pipelines import warehouse
from pipelines.faults import BoroughlinkError
from pipelines.keys.keyring import open_keyring
from pipelines.linkage.certainty import thresholds_of
from pipelines.linkage.choice import COMMON, MODEL, common_records, misfit
from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.edges import LINKABLE, build_edge
from pipelines.linkage.estimates import estimate_of
from pipelines.linkage.persons import MEMBERSHIP, build_persons
from pipelines.people.records import RECORD
from pipelines.people.repeats import REPEATS
from pipelines.places.gazetteer import PROPERTY
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import published_place
from pipelines.view_edges import open_view_edges
from pipelines.warehouse import Warehouse, sql_file

VIEW = "data_quality"
#: Groups of fewer records are not told of: a pair or two would make any of them the worst.
LEAST_GROUP = 50
_SEEN = (RECORD, REPEATS, PROPERTY)


@dataclass(frozen=True)
class Tried:
    """A model set to the people who live here, and by view its thresholds, linked pairs and what it is estimated to get
    right."""

    model: Model
    thresholds: Mapping[str, Thresholds]
    estimates: Mapping[str, tuple[int, Estimate]]


@contextmanager
def beside_snapshot(folder: DataFolder) -> Iterator[Warehouse]:
    """The published run read-only as `published`, and beside it an empty zone `identity` in memory that sees its
    records and properties. Raises NothingPublished."""
    settings, place = load_settings(folder), published_place(folder)
    keyring = open_keyring(folder, settings, ("published",))
    con = warehouse.connect(folder.temp, (place,), settings.memory_limit, settings.threads)
    try:
        file = place / "snapshot.duckdb"
        warehouse.attach(con, "published", file, keyring.key("published"), read_only=True)
        con.execute("ATTACH ':memory:' AS identity")
        warehouse.lock_configuration(con)
        wh = Warehouse(con, place.name, settings.today())
        show_published(wh)
        if not wh.exists(RECORD):
            raise BoroughlinkError(f"Run {place.name} holds no records of people: nothing to train on, or to score.")
        yield wh
    finally:
        con.close()


def show_published(wh: Warehouse) -> None:
    """Fill the empty zone `identity` with what a trial sees of `published`; a run of before may lack some of it."""
    for schema in warehouse.SCHEMAS["identity"]:
        wh.execute(f"CREATE SCHEMA identity.{schema}")
    for name in _SEEN:
        if wh.exists(there := name.replace("identity", "published", 1)):
            wh.execute(f"CREATE VIEW {name} AS FROM {there}")


@contextmanager
def common_at_hand(wh: Warehouse, views: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """The temporary table COMMON of choice.py over the records that may be linked."""
    link_table(wh.con, RECORD, "person_link", LINKABLE)
    common_records(wh, "person_link", views)
    try:
        yield
    finally:
        wh.execute(f"DROP TABLE {COMMON}")
        wh.execute("DROP TABLE person_link")


def misfits(wh: Warehouse, models: Sequence[Model], views: Mapping[str, Sequence[str]]) -> list[str | None]:
    """Of each model why it is not for these records, None where it is."""
    with common_at_hand(wh, views):
        return [misfit(wh, model) for model in models]


def try_model(
    wh: Warehouse,
    model: Model,
    views: Mapping[str, Sequence[str]],
    decisions: Sequence[dict[str, Any]],
    target: float,
    stop: float,
    stated: bool = False,
) -> Tried:
    """Score and cluster the records of `beside_snapshot` with a model that fits them; EDGE, MEMBERSHIP and the like of
    the model tried before are gone. Person ids are passing ones: only who is with whom counts. Names weigh as in the
    published run, whose model a run finds too."""
    wh.execute("DROP SCHEMA identity.linkage CASCADE")
    wh.execute("CREATE SCHEMA identity.linkage")
    if wh.exists(there := MODEL.replace("identity", "published", 1)):
        wh.execute(f"CREATE TABLE {MODEL} AS FROM {there}")
    linked = build_edge(wh, views, model)
    load_decisions(wh, list(decisions))
    build_persons(wh, views, b"passing", target, stop, stated)
    at = {view: thresholds_of(wh, view) for view in sorted(views)}
    said = {view: estimate_of(wh, linked.model, view) for view in at}
    return Tried(linked.model, at, said)


def least_sure(wh: Warehouse, most: int = 6) -> list[tuple[str, str, int, float, float]]:
    """Groups of records (by, group, records) of the model just tried that expect most errors in a thousand records:
    pairs wrongly linked, pairs missed; the worst first."""
    open_view_edges(wh, VIEW)
    names = {"edge": "view_edge", "membership": MEMBERSHIP, "record": RECORD, "view": VIEW, "least": str(LEAST_GROUP)}
    sql = sql_file(Path(__file__).with_name("least_sure.sql"), as_of=f"{wh.as_of:%Y-%m-%d}", **names)
    return [(by, group, n, wrong, missed) for by, group, n, wrong, missed in wh.rows(sql)][:most]
