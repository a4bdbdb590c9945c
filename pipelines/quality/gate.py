"""The gate: an extract goes on only if no critical rule of its source fails. Warnings are kept and shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pipelines.faults import BoroughlinkError
from pipelines.quality.evidence import evidence
from pipelines.quality.profiles import keep, profile
from pipelines.quality.suites import rules_of
from pipelines.quality.thresholds import thresholds
from pipelines.sources.intake import Candidate, Verdict
from pipelines.warehouse import Warehouse
from quality_checks.principles import Principle, Severity
from quality_checks.rules import RuleResult
from quality_checks.runner import CheckBroken, run_rules

RESULT = "identity.quality.result"
_RESULTS = Path(__file__).parent / "results.sql"


class GateBroken(BoroughlinkError):
    """A check could not be carried out, so the extract could not be judged: neither accepted nor refused."""


@dataclass(frozen=True)
class GateResult:
    """What the gate found of one extract."""

    source: str
    extract_date: date
    results: tuple[RuleResult, ...]

    @property
    def refusals(self) -> tuple[RuleResult, ...]:
        return tuple(result for result in self.results if not result.passed and result.severity == Severity.CRITICAL)

    @property
    def accepted(self) -> bool:
        return not self.refusals

    def of(self, principle: Principle) -> tuple[RuleResult, ...]:
        return tuple(result for result in self.results if result.principle == principle)

    @property
    def reason(self) -> str | None:
        """Why the extract was refused, in words and counts; None if it was not."""
        return " ".join(result.in_words for result in self.refusals) or None


def judge(wh: Warehouse, candidate: Candidate) -> GateResult:
    """Judge an extract that waits, and note its results and its profile in identity.quality. Raises GateBroken."""
    tables = {name: table.name for name, table in candidate.tables.items()}
    now = profile(wh, candidate)
    try:
        results = run_rules(wh.con, rules_of(candidate.contract), tables, evidence(wh, candidate, now))
    except CheckBroken as fault:
        raise GateBroken(f"{candidate.contract.name}, {candidate.extract_date}: {fault}") from None
    found = GateResult(candidate.contract.name, candidate.extract_date, tuple(map(weighed, results)))
    note(wh, found)
    keep(wh, candidate, now)
    return found


def weighed(result: RuleResult) -> RuleResult:
    """A value's form is a warning's matter; that most values of a column have it not is critical: something else stands
    in that column."""
    rule, limits = result.rule, thresholds()
    if rule.principle != Principle.VALID or not rule.column or result.reason or result.failures < limits.small_cell:
        return result
    if result.share <= limits.misplaced_share:
        return result
    reason = f"{result.failures:,} of {result.rows:,} rows fail: the column holds something else"
    return replace(result, rule=replace(rule, severity=Severity.CRITICAL), reason=reason)


def gate(wh: Warehouse, seen: list[GateResult] | None = None) -> Callable[[Candidate], Verdict]:
    """The gate as intake calls it; what it finds is also appended to `seen`."""

    def verdict(candidate: Candidate) -> Verdict:
        try:
            found = judge(wh, candidate)
        except GateBroken as fault:  # this source waits with its last good load; the borough goes on
            return Verdict(False, str(fault), broken=True)
        if seen is not None:
            seen.append(found)
        return Verdict(found.accepted, found.reason)

    return verdict


def note(wh: Warehouse, found: GateResult) -> None:
    """Write the results of one extract, in place of those that this run wrote of it before."""
    wh.execute(_RESULTS.read_text(encoding="utf-8"))
    wh.execute(
        "DELETE FROM identity.quality.result WHERE run_id = ? AND source = ? AND extract_date = ?",
        [wh.run_id, found.source, found.extract_date],
    )
    judgement = wh.scalar("SELECT coalesce(max(judgement), 0) + 1 FROM identity.quality.result")
    extract = (judgement, wh.run_id, found.source, found.extract_date)
    rows = [(*extract, *row_of(result)) for result in found.results]
    places = ", ".join("(" + ", ".join("?" * len(row)) + ")" for row in rows)
    wh.execute(f"INSERT INTO identity.quality.result VALUES {places}", [value for row in rows for value in row])


def row_of(result: RuleResult) -> Sequence[object]:
    """A result as a row of RESULT, from its principle on."""
    rule = result.rule
    tags = (str(rule.principle), str(rule.dimension) if rule.dimension else None, rule.name, rule.sentence)
    counts = (rule.table, rule.column, result.rows, result.failures, result.share, rule.tolerance)
    outcome = (str(rule.severity), result.passed, result.judged, result.reason or None, rule.owner)
    return (*tags, *counts, *outcome)
