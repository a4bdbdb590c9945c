"""What the scorecard shows, apart from how: typed, JSON-able, counts and words only.

`scorecard_data` reads a published snapshot; the offline page and the review app draw what it returns.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from pydantic import TypeAdapter

from pipelines.source_faults import KINDS, ReportedFault
from pipelines.warehouse import Warehouse, sql_file
from quality_checks.rules import fault_in_words

HERE = Path(__file__).parent
#: How many judgements back a trend reaches: a year of monthly extracts.
JUDGEMENTS = 12
#: Faults of a principle that stand on the scorecard, the gravest first.
_WORST = 3
PRINCIPLES = ("accurate", "valid", "reliable", "timely", "relevant", "complete")
STATES = ("fails", "warns", "holds", "not judged")
_STATE = """CASE WHEN NOT passed THEN CASE severity WHEN 'critical' THEN 'fails' ELSE 'warns' END
    WHEN judged THEN 'holds' ELSE 'not judged' END"""


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
    it has failed, `words` what is wrong, empty while it holds."""

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
    state: str
    words: str


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
    reported: int = 0

    @property
    def judged(self) -> int:
        return sum(rule.judged for rule in self.rules)

    @property
    def failing(self) -> list[RuleStanding]:
        return [rule for rule in self.rules if not rule.passed]

    @property
    def critical(self) -> int:
        return sum(rule.state == "fails" for rule in self.rules)


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
    promises, accepted, judged = _promises(wh, catalog), newest_accepted(wh, catalog), judged_principles(wh, catalog)
    told: dict[str, list[ReportedFault]] = defaultdict(list)
    for fault in reported:
        told[fault.source].append(fault)
    sources = []
    questions = _questions(wh, catalog)
    unjudged = tuple(_principle(name, asks, [], []) for name, asks in questions.items())
    for source in sorted(promises.keys() | judged.keys()):
        title, owner, steward, refresh = promises.get(source, (source, "", "", None))
        came = accepted.get(source)
        late = max((wh.as_of - came).days - refresh, 0) if came and refresh else 0
        principles = []
        for each in judged.get(source, unjudged):
            count = sum(fault.principle == each.principle for fault in told[source])
            each = replace(each, reported=count)
            if each.principle == "timely" and came and refresh and late:
                said = (late_words(came, refresh, late), *each.faults)[:_WORST]
                each = replace(each, state=worst((each.state, "warns")), faults=said)
            principles.append(each)
        state, groups = worst(each.state for each in principles), _grouped(told[source])
        sources.append(
            SourceStanding(source, title, owner, steward, came, refresh, late, state, tuple(principles), groups)
        )
    return ScorecardData(wh.run_id, wh.as_of, tuple(sorted(sources, key=lambda each: each.title.lower())))


def judged_principles(
    wh: Warehouse, catalog: str, source: str | None = None
) -> dict[str, tuple[PrincipleStanding, ...]]:
    """By source (all, or one) the six principles as the extract judged last meets them, lateness of the next one apart;
    only sources of which one was judged."""
    if not wh.exists(f"{catalog}.quality.result"):
        return {}
    where = "true" if source is None else f"source = '{source}'"
    trends: dict[tuple[str, str], list[Point]] = defaultdict(list)
    filled = {"catalog": catalog, "where": where, "state": _STATE}
    states = ", ".join(f"'{state}'" for state in STATES)
    for name, principle, *point in wh.rows(
        sql_file(HERE / "history.sql", judgements=str(JUDGEMENTS), states=states, **filled)
    ):
        trends[name, principle].append(Point(*point))
    rules: dict[tuple[str, str], list[RuleStanding]] = defaultdict(list)
    for name, principle, *rule in wh.rows(sql_file(HERE / "rules.sql", **filled)):
        sentence, rows, failures, passed, reason = rule[1], rule[5], rule[6], rule[9], rule[11]
        said = "" if passed else fault_in_words(sentence, rows, failures, reason)
        rules[name, principle].append(RuleStanding(*(*rule, said)))
    questions = _questions(wh, catalog)
    return {
        name: tuple(
            _principle(principle, asks, trends.get((name, principle), []), rules.get((name, principle), []))
            for principle, asks in questions.items()
        )
        for name in dict.fromkeys(name for name, _ in trends)
    }


def worst(states: Iterable[str]) -> str:
    """The gravest of some states; `not judged` of none."""
    return min(states, key=STATES.index, default=STATES[-1])


def late_sources(data: ScorecardData) -> list[SourceStanding]:
    """The sources whose next extract is overdue, the longest first."""
    return sorted((each for each in data.sources if each.late_days), key=lambda each: (-each.late_days, each.source))


def _principle(name: str, question: str, trend: list[Point], rules: list[RuleStanding]) -> PrincipleStanding:
    known = [point.score for point in trend if point.score is not None]
    change = round(known[-1] - known[-2], 1) if len(known) > 1 else None
    state, score = (trend[-1].state, trend[-1].score) if trend else (STATES[-1], None)
    faults = tuple(rule.words for rule in rules if not rule.passed)[:_WORST]
    return PrincipleStanding(name, question, state, score, change, tuple(trend), faults, tuple(rules))


def late_words(came: date, refresh: int, late: int) -> str:
    """That an extract is overdue."""
    due = came + timedelta(days=refresh)
    return f"The next extract was due by {due:%-d %B %Y}, {late:,} day{'s' if late > 1 else ''} ago."


def _questions(wh: Warehouse, catalog: str) -> dict[str, str]:
    """What each principle asks, in their order."""
    told = f"{catalog}.quality.principle"
    asks = dict(wh.rows(f"SELECT principle, question FROM {told}")) if wh.exists(told) else {}
    return {name: asks.get(name, "") for name in PRINCIPLES}


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
