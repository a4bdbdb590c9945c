"""What differs between two runs: persons, decisions, flagged pairs, tiers and figures; counts only, and the group that
changed most."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines import warehouse
from pipelines.commit_point import KEPT_SNAPSHOTS, Current
from pipelines.faults import BoroughlinkError, plural
from pipelines.keys.keyring import Keyring
from pipelines.settings import DataFolder, Settings
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
BEFORE, AFTER = "before", "after"
#: Groups of fewer records are not called the worst: one person who moved would make any of them so.
LEAST_GROUP = 50


@dataclass(frozen=True)
class Persons:
    """What became of the persons of a view.

    `merged` persons went into `merged_into`, `split` ones came apart into `split_into`; a person may be in both.
    `created` hold new records only, of `retired` no record is left; `unchanged` hold the very same records. Records
    are `regrouped` when their person was merged or split; `shared` are those that both runs have.
    """

    view: str
    before: int
    after: int
    unchanged: int
    merged: int
    merged_into: int
    split: int
    split_into: int
    created: int
    retired: int
    grown: int
    shrunk: int
    regrouped: int
    shared: int


@dataclass(frozen=True)
class Group:
    """Of the `records` that both runs have in a group, how many were regrouped."""

    view: str
    by: str
    value: str
    records: int
    regrouped: int

    @property
    def share(self) -> float:
        return self.regrouped / self.records


@dataclass(frozen=True)
class Contradicted:
    """A standing decision about two records of a view that the links do not follow, before or after."""

    view: str
    decision_id: int
    kind: str
    made_at: str
    before: bool
    after: bool


@dataclass(frozen=True)
class Flags:
    """Flagged pairs of a rule; `restrengthened` stand in both runs with another strength."""

    rule: str
    before: int
    after: int
    appeared: int
    vanished: int
    restrengthened: int


@dataclass(frozen=True)
class Tiers:
    """Persons of the risk view who went from a tier to another; None where they were not scored."""

    before: str | None
    after: str | None
    persons: int


@dataclass(frozen=True)
class Differences:
    """All that differs between the runs `before` and `after`; `figures` are (what, before, after)."""

    before: str
    after: str
    persons: tuple[Persons, ...]
    groups: tuple[Group, ...]
    contradicted: tuple[Contradicted, ...]
    decisions: int
    flags: tuple[Flags, ...]
    tiers: tuple[Tiers, ...]
    figures: tuple[tuple[str, Any, Any], ...]

    def plain(self) -> dict[str, Any]:
        return asdict(self) | {"figures": {what: {BEFORE: old, AFTER: new} for what, old, new in self.figures}}

    def worst(self, view: str) -> Group | None:
        """The group of the view of whose records the greatest share was regrouped, if any was."""
        return worst_group(self.groups, view)


def worst_group(groups: Sequence[Group], view: str) -> Group | None:
    """Of the groups of a view that are no handful, the one that changed most, if any did."""
    large = [group for group in groups if group.view == view and group.records >= LEAST_GROUP]
    found = max(large, key=lambda group: (group.share, group.records), default=None)
    return found if found and found.regrouped else None


def published_run(folder: DataFolder, named: str | None, newest: int = 0) -> Path:
    """The folder of a published run: by name, or the newest but `newest`. Raises BoroughlinkError when it is gone."""
    there = sorted(path.parent for path in folder.published.glob("*/snapshot.duckdb"))
    current = Current.read(folder).published
    there = [path for path in there if path.name != current] + [path for path in there if path.name == current]
    if named is None:
        if len(there) <= newest:
            raise BoroughlinkError(
                f"{plural(len(there), 'run')} published in {folder.root}: there is nothing to compare."
            )
        return there[-1 - newest]
    found = [path for path in there if path.name == named]
    if not found:
        listed = ", ".join(path.name for path in there) or "none"
        raise BoroughlinkError(
            f"The snapshot of that run is not here: the last {KEPT_SNAPSHOTS} published are kept, now {listed}."
        )
    return found[0]


def compare(
    folder: DataFolder,
    settings: Settings,
    keyring: Keyring,
    runs: tuple[Path, Path],
    decisions: Sequence[dict[str, Any]],
) -> Differences:
    """Compare two published run folders; `decisions` as Operations.decisions() gives them."""
    with _opened(folder, settings, keyring.key("published"), runs, "snapshot") as wh:
        _load(wh)
        persons, groups = persons_between(wh), groups_between(wh, AFTER)
        contradicted, standing = _contradicted(wh, decisions)
        flags = tuple(Flags(*row) for row in _rows(wh, "flags")) if _both(wh, "fraud.flagged_pair") else ()
        figures = _figures(wh)
    with _opened(folder, settings, keyring.key("attributes"), runs, "tiers") as wh:
        tiers = tuple(Tiers(*row) for row in _rows(wh, "tiers")) if _both(wh, "risk.tier_of") else ()
    return Differences(runs[0].name, runs[1].name, persons, groups, contradicted, standing, flags, tiers, figures)


@contextmanager
def _opened(
    folder: DataFolder, settings: Settings, key: bytes, runs: tuple[Path, Path], file: str
) -> Iterator[Warehouse]:
    """Both runs' file of that name, read-only, as the catalogs `before` and `after`; one that is lacking is empty."""
    files = {name: run / f"{file}.duckdb" for name, run in zip((BEFORE, AFTER), runs, strict=True)}
    there = {name: (path, key) for name, path in files.items() if path.exists()}
    limits = (settings.memory_limit, settings.threads)
    with warehouse.opened(there, folder.temp, runs, *limits, read_only=True) as con:
        yield Warehouse(con, runs[1].name, settings.today())


def _rows(wh: Warehouse, name: str) -> list[tuple[Any, ...]]:
    return wh.rows(sql_file(HERE / f"{name}.sql"))


def _both(wh: Warehouse, table: str) -> bool:
    return all(wh.exists(f"{run}.{table}") for run in (BEFORE, AFTER))


def _load(wh: Warehouse) -> None:
    """The temporary tables `moved` (view, record_id, was, now), `was_person` and `now_person`."""
    for run in (BEFORE, AFTER):
        source = (
            f"FROM {run}.linkage.membership"
            if wh.exists(f"{run}.linkage.membership")
            else ("FROM (SELECT ''::VARCHAR AS view, ''::VARCHAR AS record_id, ''::VARCHAR AS person_id) WHERE false")
        )
        wh.execute(f"CREATE TEMP TABLE {run}_member AS SELECT view, record_id, person_id {source}")
    load_moved(wh)


def load_moved(wh: Warehouse) -> None:
    """What became of the persons of before_member in after_member (view, record_id, person_id), as moved.sql says."""
    for statement in sql_file(HERE / "moved.sql").split(";"):
        if statement.strip():
            wh.execute(statement)


def persons_between(wh: Warehouse) -> tuple[Persons, ...]:
    """What became of the persons, by view; needs load_moved."""
    return tuple(Persons(*row) for row in _rows(wh, "persons"))


def groups_between(wh: Warehouse, catalog: str) -> tuple[Group, ...]:
    """How many records of each group were regrouped, as `catalog` describes them; needs load_moved."""
    if not wh.exists(f"{catalog}.people.record"):
        return ()
    ward = "p.ward" if wh.exists(f"{catalog}.places.property") else "NULL"
    place = f"LEFT JOIN {catalog}.places.property p ON p.uprn = r.uprn" if ward != "NULL" else ""
    names = {"as_of": f"{wh.as_of:%Y-%m-%d}", "ward": ward, "place": place, "record": f"{catalog}.people.record"}
    return tuple(Group(*row) for row in wh.rows(sql_file(HERE / "groups.sql", **names)))


def _contradicted(wh: Warehouse, decisions: Sequence[dict[str, Any]]) -> tuple[tuple[Contradicted, ...], int]:
    """The decisions that a run does not follow, and how many stand on records that both runs have."""
    told = [each for each in decisions if each["kind"] in ("must_link", "cannot_link")]
    wh.execute("CREATE TEMP TABLE decided (decision_id BIGINT, kind VARCHAR, made_at VARCHAR, l VARCHAR, r VARCHAR)")
    if told:
        columns = ("decision_id", "kind", "made_at", "record_l", "record_r")
        given = [[each[column] for each in told] for column in columns]
        wh.execute("INSERT INTO decided SELECT unnest(?), unnest(?), unnest(?), unnest(?), unnest(?)", given)
    rows = _rows(wh, "decisions")
    standing = {row[1] for row in rows}
    return tuple(Contradicted(*row) for row in rows if row[4] or row[5]), len(standing)


#: (what, table, expression); None where a run lacks the table.
FIGURES = (
    ("records of people", "people.record", "count(*) FILTER (is_person)"),
    ("pairs compared", "linkage.edge", "count(*)"),
    ("pairs for review", "linkage.review_edge", "count(*)"),
    ("review items", "review.queue", "count(*)"),
    ("flagged pairs", "fraud.flagged_pair", "count(*)"),
    ("addresses with a UPRN", "places.address_uprn", "count(uprn)"),
    ("current homes", "linkage.household", "count(*) FILTER (view = 'data_quality' AND to_date IS NULL)"),
    ("model", "linkage.model", "any_value(version)"),
    ("link threshold", "linkage.threshold", "max(link) FILTER (view = 'data_quality')"),
)


def _figures(wh: Warehouse) -> tuple[tuple[str, Any, Any], ...]:
    def figure(run: str, table: str, expression: str) -> Any:
        return wh.scalar(f"SELECT {expression} FROM {run}.{table}") if wh.exists(f"{run}.{table}") else None

    found = [(what, figure(BEFORE, *where), figure(AFTER, *where)) for what, *where in FIGURES]
    return tuple(row for row in found if row[1:] != (None, None))
