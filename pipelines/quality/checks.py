"""The gate in Dagster: one asset check a source and principle, yielded by the step that takes the source in; and after
linkage one a source on how far it agrees with the others.

A failed critical rule makes the check an error. It does not block what lies downstream: the gate has refused the
extract, and the borough stands on the last good load. A step without a new extract shows how the last one was judged,
and whether the next is late on the day of the run.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from pipelines.quality.evidence import reads
from pipelines.quality.gate import gate
from pipelines.quality.suites import rules_of
from pipelines.scorecard.standing import PrincipleStanding, judged_principles, late_words, newest_accepted
from pipelines.sources.assets import Checks
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import Candidate, Gate, Verdict
from pipelines.warehouse import Warehouse
from quality_checks.principles import Principle
from quality_checks.rules import RuleResult

PERSON = "person_record"


@dataclass(frozen=True)
class Standing:
    """How a source stands after a judgement: its six principles, none before the first."""

    principles: Sequence[PrincipleStanding]
    as_of: date
    accepted: date | None
    broken: str | None = None  # why the delivery could not be judged: a check of ours

    @classmethod
    def of(cls, wh: Warehouse, source: str, broken: str | None = None) -> "Standing":
        judged = judged_principles(wh, "identity", source).get(source, ())
        return cls(judged, wh.as_of, newest_accepted(wh, "identity").get(source), broken)

    def late(self, contract: Contract) -> str | None:
        """That the next extract is overdue on the day of the run, in words; None while it is not."""
        refused = any(each.critical for each in self.principles)
        judged = () if refused else (point.extract_date for each in self.principles for point in each.trend[-1:])
        came = max(filter(None, (self.accepted, *judged)), default=None)
        days = (self.as_of - came).days - contract.refresh_days if came else 0
        return late_words(came, contract.refresh_days, days) if came and days > 0 else None


def check_specs(asset: dg.AssetKey, contract: Contract) -> list[dg.AssetCheckSpec]:
    """The six checks of a source, for the step that makes `asset`."""
    rules = rules_of(contract)
    return [
        dg.AssetCheckSpec(
            str(principle),
            asset=asset,
            description=f"{principle.question} {sum(rule.principle == principle for rule in rules)} rules.",
            metadata={"owner": contract.owner},
        )
        for principle in Principle
    ]


def standing_gate(wh: Warehouse, source: str, found: list[Any]) -> Gate:
    """The gate for a source's step; `found` gets the standing before it, and after each delivery."""
    found.append(Standing.of(wh, source))
    judged = gate(wh)

    def verdict(candidate: Candidate) -> Verdict:
        said = judged(candidate)
        found.append(Standing.of(wh, source, said.reason if said.broken else None))
        return said

    return verdict


def check_results(asset: dg.AssetKey, contract: Contract, found: Sequence[Standing]) -> Iterator[dg.AssetCheckResult]:
    """How the extract of a source that was judged last stands under each principle; counts and words only."""
    now = found[-1]
    judged = {each.principle: each for each in now.principles if each.rules}
    for principle in Principle:
        if now.broken or principle not in judged:
            yield dg.AssetCheckResult(
                passed=False,
                asset_key=asset,
                check_name=str(principle),
                severity=dg.AssetCheckSeverity.ERROR if now.broken else dg.AssetCheckSeverity.WARN,
                description=f"Not judged: {now.broken}" if now.broken else "No extract of it has been judged yet.",
                metadata={"broken check": now.broken} if now.broken else {},
            )
        else:
            yield _result(judged[principle], asset, now.late(contract) if principle == Principle.TIMELY else None)


def agreement_specs(asset: dg.AssetKey, contracts: Iterable[Contract]) -> list[dg.AssetCheckSpec]:
    """One check a source that mentions people, for the step that judges agreement."""
    return [
        dg.AssetCheckSpec(
            contract.name,
            asset=asset,
            description="Accurate: is what it says of a person another source's too, where both surely mean them?",
            metadata={"owner": contract.owner},
        )
        for contract in contracts
        if PERSON in contract.facts
    ]


def agreement_checks(contracts: Iterable[Contract], results: Sequence[RuleResult]) -> Iterator[dg.AssetCheckResult]:
    """How each source that mentions people agrees with the others; counts and words only. It warns."""
    for contract in contracts:
        if PERSON not in contract.facts:
            continue
        judged = [result for result in results if result.rule.source == contract.name and result.judged]
        failing = [result for result in judged if not result.passed]
        records = [
            dg.TableRecord({"field": str(result.rule.column), "records": result.rows, "disagree": result.failures})
            for result in judged
        ]
        held = f"{len(judged)} fields agree." if judged else "Too few records can be held against another source."
        yield dg.AssetCheckResult(
            passed=not failing,
            check_name=contract.name,
            severity=dg.AssetCheckSeverity.WARN,
            description=" ".join(result.in_words for result in failing) or held,
            metadata={"held against others": dg.MetadataValue.table(records)} if records else {},
        )


def _result(each: PrincipleStanding, asset: dg.AssetKey, late: str | None) -> dg.AssetCheckResult:
    records = [
        dg.TableRecord({"rule": rule.sentence, "severity": rule.severity, "failures": rule.failures, "rows": rule.rows})
        for rule in each.failing
    ]
    return dg.AssetCheckResult(
        passed=not records and not late,
        asset_key=asset,
        check_name=each.principle,
        severity=dg.AssetCheckSeverity.ERROR if each.critical else dg.AssetCheckSeverity.WARN,
        description=" ".join(filter(None, (late, *each.faults))) or f"All {each.judged} rules hold.",
        metadata={
            "extract date": each.trend[-1].extract_date.isoformat(),
            "rules judged": each.judged,
            "critical rules failing": each.critical,
            "warnings": len(records) - each.critical,
            "score": each.score if each.score is not None else dg.MetadataValue.null(),
            **({"what failed": dg.MetadataValue.table(records)} if records else {}),
        },
    )


#: What the sources' steps are given by the definitions.
CHECKS = Checks(specs=check_specs, gate=standing_gate, results=check_results, reads=reads)
