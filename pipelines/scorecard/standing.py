"""What the scorecard shows, apart from how: typed, JSON-able, counts and words only.

`scorecard_data` reads a published snapshot; the offline page and the review app draw what it returns.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pydantic import TypeAdapter

from pipelines.source_faults import KINDS, ReportedFault
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
#: How many judgements back a trend reaches: a year of monthly extracts.
JUDGEMENTS = 12
PRINCIPLES = ("accurate", "valid", "reliable", "timely", "relevant", "complete")
# Rules of a table as a whole, by how their names end: rows that fail say nothing of them.
_OF_THE_WHOLE = ("row_count", "rows", "columns")
STATES = ("fails", "warns", "holds", "not judged")


@dataclass(frozen=True)
class Point:
    """A score of one extract; None where nothing could be judged."""

    extract_date: date
    run_id: str
    score: float | None
    state: str


@dataclass(frozen=True)
class RuleStanding:
    """A rule and how the newest extract meets it; `share` and `allowed` are 0 to 1, `since` the extract from which on
    it has failed."""

    rule: str
    sentence: str
    severity: str
    table: str
    column: str | None
    rows: int
    failures: int
    share: float
    allowed: float
    passed: bool
    judged: bool
    reason: str | None
    since: date | None


@dataclass(frozen=True)
class Reported:
    """Faults of one sort that people reported and nobody has mended yet."""

    principle: str
    words: str
    column: str | None
    count: int
    oldest: str


@dataclass(frozen=True)
class PrincipleStanding:
    """`score` is 0 to 100; `change` against the extract before; `faults` the three gravest, in words; `rules` failing
    ones first."""

    principle: str
    question: str
    state: str
    score: float | None
    change: float | None
    trend: tuple[Point, ...]
    faults: tuple[str, ...]
    rules: tuple[RuleStanding, ...]
    reported: int


@dataclass(frozen=True)
class SourceStanding:
    """`late_days` counts from the day on which the next extract was due; 0 while it is not."""

    source: str
    title: str
    owner: str
    steward: str
    extract_date: date | None
    refresh_days: int | None
    late_days: int
    state: str
    principles: tuple[PrincipleStanding, ...]
    reported: tuple[Reported, ...]

    def of(self, principle: str) -> PrincipleStanding:
        return next(each for each in self.principles if each.principle == principle)


@dataclass(frozen=True)
class ScorecardData:
    """Every source with a contract, by title."""

    run_id: str
    as_of: date
    sources: tuple[SourceStanding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Squares of the scorecard by state."""
        states = [each.state for source in self.sources for each in source.principles]
        return {state: states.count(state) for state in STATES}

    def to_json(self) -> str:
        return TypeAdapter(ScorecardData).dump_json(self, indent=1).decode()

    @classmethod
    def from_json(cls, text: bytes | str) -> "ScorecardData":
        """What `to_json` wrote; raises pydantic's ValidationError on anything else."""
        return TypeAdapter(cls).validate_json(text)


def scorecard_data(wh: Warehouse, reported: Sequence[ReportedFault] = (), catalog: str = "published") -> ScorecardData:
    """The scorecard of a snapshot on the day `wh.as_of`; `reported`: the faults that stand in the operational store."""
    promises, questions, accepted = _promises(wh, catalog), _questions(wh, catalog), newest_accepted(wh, catalog)
    judged = wh.exists(f"{catalog}.quality.result")
    trends: Mapping[tuple[str, str], list[Point]] = _trends(wh, catalog) if judged else {}
    rules: Mapping[tuple[str, str], list[RuleStanding]] = _rules(wh, catalog) if judged else {}
    told: dict[str, list[ReportedFault]] = defaultdict(list)
    for fault in reported:
        told[fault.source].append(fault)
    sources = []
    for source in sorted(promises.keys() | {source for source, _ in trends}):
        title, owner, steward, refresh = promises.get(source, (source, "", "", None))
        came = accepted.get(source)
        late = max((wh.as_of - came).days - refresh, 0) if came and refresh else 0
        principles = tuple(
            _principle(
                name,
                questions.get(name, ""),
                trends.get((source, name), []),
                rules.get((source, name), []),
                late_words(came, refresh, late) if name == "timely" and came and refresh and late else None,
                sum(fault.principle == name for fault in told[source]),
            )
            for name in PRINCIPLES
        )
        state = next((s for s in STATES if any(each.state == s for each in principles)), "not judged")
        groups = _grouped(told[source])
        sources.append(SourceStanding(source, title, owner, steward, came, refresh, late, state, principles, groups))
    return ScorecardData(wh.run_id, wh.as_of, tuple(sorted(sources, key=lambda each: each.title.lower())))


def late_sources(data: ScorecardData) -> list[SourceStanding]:
    """The sources whose next extract is overdue, the longest first."""
    return sorted((each for each in data.sources if each.late_days), key=lambda each: (-each.late_days, each.source))


def _principle(
    name: str, question: str, trend: list[Point], rules: list[RuleStanding], late: str | None, reported: int
) -> PrincipleStanding:
    now = trend[-1] if trend else None
    state = now.state if now else "not judged"
    faults = [in_words(rule) for rule in rules if not rule.passed]
    if late:
        state, faults = (state if state == "fails" else "warns"), [late, *faults]
    known = [point.score for point in trend if point.score is not None]
    change = round(known[-1] - known[-2], 1) if len(known) > 1 else None
    score = now.score if now else None
    return PrincipleStanding(
        name, question, state, score, change, tuple(trend), tuple(faults[:3]), tuple(rules), reported
    )


def in_words(rule: RuleStanding) -> str:
    """A rule that does not hold, and by how much."""
    if rule.reason:
        return f"{rule.sentence} Not so: {rule.reason}."
    whole = rule.rule.rsplit(".", 1)[-1].startswith(_OF_THE_WHOLE)
    if rule.rows > 1 and rule.failures and not whole:
        return f"{rule.sentence} Not so in {rule.failures:,} of {rule.rows:,} rows."
    return f"{rule.sentence} Not so."


def late_words(came: date, refresh: int, late: int) -> str:
    """That an extract is overdue."""
    due = came + timedelta(days=refresh)
    return f"The next extract was due by {due:%-d %B %Y}, {late:,} day{'s' if late > 1 else ''} ago."


def _questions(wh: Warehouse, catalog: str) -> dict[str, str]:
    """What each principle asks."""
    if not wh.exists(f"{catalog}.quality.principle"):
        return {}
    return dict(wh.rows(f"SELECT principle, question FROM {catalog}.quality.principle"))


def _promises(wh: Warehouse, catalog: str) -> dict[str, tuple[str, str, str, int | None]]:
    if not wh.exists(f"{catalog}.quality.promise"):
        return {}
    found = wh.rows(f"SELECT source, title, owner, steward, refresh_days FROM {catalog}.quality.promise")
    return {source: (title, owner, steward, days) for source, title, owner, steward, days in found}


def newest_accepted(wh: Warehouse, catalog: str) -> dict[str, date]:
    """The newest extract in force of each source."""
    if not wh.exists(f"{catalog}.meta.intake"):
        return {}
    found = f"SELECT source, max(extract_date) FROM {catalog}.meta.intake WHERE state = 'accepted' GROUP BY source"
    return dict(wh.rows(found))


def _trends(wh: Warehouse, catalog: str) -> dict[tuple[str, str], list[Point]]:
    found: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for source, principle, *point in wh.rows(
        sql_file(HERE / "history.sql", catalog=catalog, judgements=str(JUDGEMENTS))
    ):
        found[source, principle].append(Point(*point))
    return found


def _rules(wh: Warehouse, catalog: str) -> dict[tuple[str, str], list[RuleStanding]]:
    found: dict[tuple[str, str], list[RuleStanding]] = defaultdict(list)
    for source, principle, *rule in wh.rows(sql_file(HERE / "rules.sql", catalog=catalog)):
        found[source, principle].append(RuleStanding(*rule))
    return found


def _grouped(faults: Sequence[ReportedFault]) -> tuple[Reported, ...]:
    groups: dict[tuple[str, str | None], list[ReportedFault]] = defaultdict(list)
    for fault in faults:
        groups[fault.kind, fault.column].append(fault)
    return tuple(
        Reported(KINDS[kind][1], KINDS[kind][0], column, len(held), min(fault.reported_at for fault in held)[:10])
        for (kind, column), held in sorted(
            groups.items(), key=lambda each: (-len(each[1]), each[0][0], each[0][1] or "")
        )
    )
