"""Every figure that a run reports: counts only, one dataclass a kind of row.

Each part stands on tables that a run may lack, because no source at hand provides what they need. Such a part is
`absent` and says why; it is never an empty list that looks like a zero.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from pydantic import TypeAdapter

from pipelines.faults import plural
from pipelines.reporting.rows import (
    BAND_WIDTH,
    HIGHEST_BAND,
    LARGEST_SIZE,
    LOWEST_BAND,
    AddressMatch,
    Backtest,
    ClusterSize,
    Coverage,
    Fault,
    FlaggedPairs,
    LeftOut,
    LinkBand,
    Overlap,
    Refusal,
    Release,
    Remark,
    Residents,
    ReviewItems,
    RiskTier,
    Score,
    SeenPopulation,
    SourceTable,
    Step,
    View,
    Ward,
)
from pipelines.scorecard.standing import judged_principles
from pipelines.sources.facts import FACTS
from pipelines.sources.footing import old_extracts
from pipelines.warehouse import Warehouse, sql_file

COUNTS = Path(__file__).parent / "counts"
SERVED = Path(__file__).parent / "served.yaml"
#: The view that reads every source: coverage and overlap are told from it.
WIDEST_VIEW = "data_quality"


T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Part(Generic[T]):
    """The rows of one part of the report, or why there are none."""

    rows: tuple[T, ...] = ()
    absent: str | None = None


@dataclass(frozen=True)
class Figures:
    """All of it. `synthetic` is true if every extract is invented; `titles` names sources as people do; `model` says
    which model scored, and why; `old` which sources stand on an old extract, a sentence each."""

    run_id: str
    as_of: date
    council: str
    synthetic: bool
    model: str = ""
    titles: dict[str, str] = field(default_factory=dict)
    sources: Part[SourceTable] = Part()
    refusals: Part[Refusal] = Part()
    remarks: Part[Remark] = Part()
    faults: Part[Fault] = Part()
    scorecard: Part[Score] = Part()
    addresses: Part[AddressMatch] = Part()
    links: Part[LinkBand] = Part()
    views: Part[View] = Part()
    cluster_sizes: Part[ClusterSize] = Part()
    residents: Part[Residents] = Part()
    wards: Part[Ward] = Part()
    seen_population: Part[SeenPopulation] = Part()
    coverage: Part[Coverage] = Part()
    overlap: Part[Overlap] = Part()
    flagged: Part[FlaggedPairs] = Part()
    review: Part[ReviewItems] = Part()
    risk: Part[RiskTier] = Part()
    backtest: Part[Backtest] = Part()
    releases: Part[Release] = Part()
    left_out: Part[LeftOut] = Part()
    steps: Part[Step] = Part()
    old: tuple[str, ...] = ()

    def with_steps(self, timings: Sequence[Mapping[str, Any]]) -> "Figures":
        """The same figures with the final timings of the run, its last step among them."""
        return replace(self, steps=_steps(timings))

    def to_json(self) -> str:
        return TypeAdapter(Figures).dump_json(self, indent=1).decode()

    @classmethod
    def from_json(cls, text: bytes | str) -> "Figures":
        """The figures that `to_json` wrote; raises pydantic's ValidationError on anything else."""
        return TypeAdapter(cls).validate_json(text)


@dataclass(frozen=True)
class Count:
    """How one part is counted: the rows it makes, the tables it needs, and what it means when they are missing."""

    part: str
    row: Callable[..., Any]
    needs: tuple[str, ...]
    absent: str
    settings: Mapping[str, object] = field(default_factory=dict)


_NO_PEOPLE = "No source at hand holds people, so there was nothing to link."
_NO_CARE = "No source at hand provides care episodes that risk stratification may read."
_VIEW = {"view": WIDEST_VIEW}
COUNTED = (
    Count("sources", SourceTable, ("identity.meta.intake",), "No extract has been taken in."),
    Count("refusals", Refusal, ("identity.meta.intake",), "No extract has been taken in."),
    Count("faults", Fault, ("identity.meta.intake", "identity.staged.fault"), "No extract has been taken in."),
    Count(
        "addresses",
        AddressMatch,
        ("identity.places.address_uprn", "identity.facts.address"),
        "Without the gazetteer (LLPG) and a source of addresses, none can be matched.",
    ),
    Count(
        "links",
        LinkBand,
        ("identity.linkage.edge",),
        _NO_PEOPLE,
        {"width": BAND_WIDTH, "lowest": LOWEST_BAND, "highest": HIGHEST_BAND},
    ),
    Count("views", View, ("identity.linkage.membership", "identity.linkage.household"), _NO_PEOPLE),
    Count("cluster_sizes", ClusterSize, ("identity.linkage.membership",), _NO_PEOPLE, {"largest": LARGEST_SIZE}),
    Count(
        "residents", Residents, ("identity.residents.resident",), "No source at hand says where people live, and when."
    ),
    Count(
        "wards",
        Ward,
        ("identity.residents.reconciliation",),
        "No source at hand says where people live, and when.",
        _VIEW,
    ),
    Count(
        "seen_population",
        SeenPopulation,
        ("identity.residents.reconciliation",),
        "No source at hand says where people live, and when.",
    ),
    Count("coverage", Coverage, ("identity.linkage.membership", "identity.people.record"), _NO_PEOPLE, _VIEW),
    Count("overlap", Overlap, ("identity.linkage.membership", "identity.people.record"), _NO_PEOPLE, _VIEW),
    Count(
        "flagged",
        FlaggedPairs,
        ("identity.fraud.flagged_pair", "identity.fraud.explained"),
        "No source at hand provides discounts, tenancies, claims or deaths that the fraud purpose may read.",
    ),
    Count("review", ReviewItems, ("identity.review.queue",), "Nothing was linked, so nothing waits for review."),
    Count("risk", RiskTier, ("attributes.risk.tier",), _NO_CARE),
    Count("backtest", Backtest, ("attributes.risk.measure",), _NO_CARE),
)


def collect(wh: Warehouse, summary: Mapping[str, Any]) -> Figures:
    """Count everything that the run's catalogs `identity` and `attributes` hold; read only.

    `summary` is `Run.summary()`: its `timings`, and of its `notes`, where they are there, `council`, `titles` (source
    to title), `left_out` (what to why), `intake` (source to what became of each delivery), `releases` (that stand),
    `may_repeat` (source to whether it is presumed to hold a person once).
    """
    notes: Mapping[str, Any] = summary.get("notes", {})
    parts: dict[str, Part[Any]] = {count.part: _count(wh, count) for count in COUNTED}
    deliveries = [(source, d) for source, found in sorted(notes.get("intake", {}).items()) for d in found]
    parts["refusals"] = _with_refusals(parts["refusals"], deliveries)
    parts["remarks"] = Part(tuple(_remarks(deliveries)))
    parts["scorecard"] = _scorecard(wh)
    parts["steps"] = _steps(summary.get("timings"))
    parts["releases"] = _releases(notes.get("releases", []))
    stated = [LeftOut(str(what), str(why)) for what, why in notes.get("left_out", {}).items()]
    parts["left_out"] = Part(
        (
            *stated,
            *_without_extract(wh, notes.get("titles", {})),
            *_may_repeat(notes.get("may_repeat", {})),
            *_left_out(wh),
            *_not_compared(wh),
        )
    )
    return Figures(
        run_id=wh.run_id,
        as_of=wh.as_of,
        council=str(notes.get("council", "")),
        synthetic=_synthetic(wh),
        model=_model(wh),
        titles=dict(notes.get("titles", {})),
        old=old_extracts(wh),
        **parts,
    )


def _count(wh: Warehouse, count: Count) -> Part[Any]:
    if not all(wh.exists(table) for table in count.needs):
        return Part(absent=count.absent)
    sql = sql_file(COUNTS / f"{count.part}.sql", **{name: str(value) for name, value in count.settings.items()})
    return Part(tuple(count.row(*row) for row in wh.rows(sql)))


def _with_refusals(kept: Part[Refusal], deliveries: Sequence[tuple[str, Mapping[str, Any]]]) -> Part[Refusal]:
    """The refusals that stand, and those of this run that came too early to be entered in the intake table."""
    found = {(row.source, row.extract_date): row for row in kept.rows}
    for source, delivery in deliveries:
        if delivery["state"] in ("refused", "unjudged"):
            refusal = Refusal(source, _date(delivery), str(delivery["reason"]))
            found.setdefault((refusal.source, refusal.extract_date), refusal)
    return Part(tuple(found.values())) if found else kept


def _remarks(deliveries: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[Remark]:
    for source, delivery in deliveries:
        if delivery["state"] == "waiting":
            yield Remark(source, _date(delivery), f"waits: {delivery['reason']}")
        for note in delivery.get("notes", ()):
            yield Remark(source, _date(delivery), str(note))


def _date(delivery: Mapping[str, Any]) -> date | None:
    return date.fromisoformat(delivery["extract_date"]) if delivery.get("extract_date") else None


def _steps(timings: Sequence[Mapping[str, Any]] | None) -> Part[Step]:
    if not timings:
        return Part(absent="The run noted no timings.")
    return Part(tuple(_filled(Step, timing) for timing in timings))


def _releases(standing: Sequence[Mapping[str, Any]]) -> Part[Release]:
    if not standing:
        return Part(absent="No release stands. They are made after a run, each by itself: `boroughlink release build`.")
    return Part(tuple(_filled(Release, manifest) for manifest in standing))


def _filled(row: type[R], held: Mapping[str, Any]) -> R:
    return row(**{entry.name: held[entry.name] for entry in fields(row)})  # type: ignore[arg-type]


def _without_extract(wh: Warehouse, titles: Mapping[str, str]) -> Iterator[LeftOut]:
    """The sources with a contract of which nothing has ever come in, in one line."""
    came: set[str] = set()
    if wh.exists("identity.meta.intake"):
        came = {source for (source,) in wh.rows("SELECT source FROM identity.meta.intake WHERE state = 'accepted'")}
    if missing := sorted(str(titles[source]) for source in titles.keys() - came):
        yield LeftOut("Sources of which no extract has come in", "; ".join(missing))


def _may_repeat(lists: Mapping[str, bool]) -> Iterator[LeftOut]:
    """The lists that may hold a person twice for all that is known, and whether each is presumed not to: what would
    help the linkage most."""
    ground = "too few records have a whole birth date, or a year and a home, to show whether anybody comes twice"
    helps = "A birth date, an age or a home address would tell namesakes apart"
    if once := [name for name, presumed in lists.items() if presumed]:
        yield LeftOut(
            f"Links between two records of one list ({', '.join(once)})",
            f"{ground}. Each is taken to hold a person once, and two records of it that look like one person go to"
            " review; so does a record that fits two. If somebody does come twice, say `each_person: many` in the head"
            f" of the contract, else `each_person: once`. {helps}",
        )
    if many := [name for name, presumed in lists.items() if not presumed]:
        yield LeftOut(
            f"That two records of one list are two people ({', '.join(many)})",
            f"{ground}: what looks like one person may be namesakes, such as father and son. If nobody comes twice,"
            f" `each_person: once` in the head of the contract keeps them apart. {helps}; pairs of names alone go to"
            " review where they can not be as sure as the target asks",
        )


def _left_out(wh: Warehouse) -> Iterator[LeftOut]:
    """What the facts at hand do not allow. A fact without a current row is not at hand."""
    facts: set[str] = {
        fact
        for fact in FACTS
        if wh.exists(f"identity.facts.{fact}")
        and wh.rows(f"SELECT 1 FROM identity.facts.{fact} WHERE valid_to IS NULL LIMIT 1")
    }
    if wh.exists("identity.places.property") and wh.rows("SELECT 1 FROM identity.places.property LIMIT 1"):
        facts.add("gazetteer")
    if "person_record" in facts and facts <= {"person_record", "address", "residence"}:
        yield LeftOut(
            "What only a council asks (UPRNs, households, flagged pairs, risk tiers)",
            "the sources at hand are lists of people, without a gazetteer, bills, tenancies, claims, deaths or cases",
        )
        return
    served: dict[str, list[str]] = yaml.safe_load(SERVED.read_text(encoding="utf-8"))
    for what, needs in served.items():
        if lacking := [fact for fact in needs if fact not in facts]:
            yield LeftOut(what, "no source at hand provides " + " and ".join(lacking).replace("_", " ") + " facts")


def _not_compared(wh: Warehouse) -> Iterator[LeftOut]:
    """The crowds of records alike whose pairs were left out, in one line."""
    rule = "identity.linkage.blocking_rule"
    if "leaves_out" not in wh.columns(rule):
        return
    left, one = (f"{told} FILTER (leaves_out)" for told in ("count(*)", "min(rule || ', ' || note)"))
    ((rules, every, most),) = wh.rows(
        f"SELECT {left}, count(*) FILTER (pairs > 0 OR note IS NOT NULL), {one} FROM {rule}"
    )
    if rules:
        yield LeftOut(
            "Pairs within crowds of records alike",
            f"by {rules} of {plural(every, 'blocking rule')}, such as {most}. Other rules still compare these records;"
            " those that say nothing more stay apart. Look for copies, test entries or a default",
        )


def _model(wh: Warehouse) -> str:
    """Which model scored and why, in words; nothing where nothing was scored."""
    return str(wh.scalar("SELECT chosen FROM identity.linkage.model")) if wh.exists("identity.linkage.model") else ""


def _synthetic(wh: Warehouse) -> bool:
    """Whether every extract says of itself that it is invented."""
    if not wh.exists("identity.meta.intake"):
        return False
    return bool(
        wh.scalar("SELECT coalesce(bool_and(synthetic), false) FROM identity.meta.intake WHERE state = 'accepted'")
    )


def _scorecard(wh: Warehouse) -> Part[Score]:
    judged = judged_principles(wh, "identity")
    if not judged:
        return Part(absent="No quality check has run.")
    return Part(
        tuple(
            Score(
                source,
                each.principle,
                each.judged,
                each.critical,
                len(each.failing) - each.critical,
                each.state,
                each.score,
                each.faults,
            )
            for source, principles in judged.items()
            for each in principles
            if each.rules
        )
    )
