"""The gate in Dagster: one asset check a source and principle, yielded by the step that takes the source in.

A failed critical rule makes the check an error. It does not block what lies downstream: the gate has refused the
extract, and the borough stands on the last good load.
"""

from collections.abc import Iterator

import dagster as dg

from pipelines.quality.scorecard import Fault, Score, faults, scorecard
from pipelines.quality.suites import rules_of
from pipelines.sources.contracts import Contract
from pipelines.warehouse import Warehouse
from quality_checks.principles import Principle


def check_specs(contract: Contract, asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
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


def check_results(wh: Warehouse, contract: Contract, asset: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    """How the extract of a source that was judged last stands under each principle; counts and words only."""
    scores = {score.principle: score for score in scorecard(wh) if score.source == contract.name}
    failing = [fault for fault in faults(wh) if fault.source == contract.name]
    for principle in Principle:
        score = scores.get(str(principle))
        if score is None:
            yield dg.AssetCheckResult(
                passed=True,
                asset_key=asset,
                check_name=str(principle),
                severity=dg.AssetCheckSeverity.WARN,
                description="No extract of this source has been judged yet.",
            )
        else:
            yield _result(score, [fault for fault in failing if fault.principle == principle], asset)


def _result(score: Score, failing: list[Fault], asset: dg.AssetKey) -> dg.AssetCheckResult:
    records = [
        dg.TableRecord(
            {"rule": fault.sentence, "severity": fault.severity, "failures": fault.failures, "rows": fault.rows}
        )
        for fault in failing
    ]
    return dg.AssetCheckResult(
        passed=not failing,
        asset_key=asset,
        check_name=score.principle,
        severity=dg.AssetCheckSeverity.ERROR if score.critical else dg.AssetCheckSeverity.WARN,
        description=" ".join(score.faults) or f"All {score.rules} rules hold.",
        metadata={
            "extract date": score.extract_date.isoformat(),
            "rules judged": score.rules,
            "critical rules failing": score.critical,
            "warnings": score.warnings,
            "score": score.score if score.score is not None else dg.MetadataValue.null(),
            **({"what failed": dg.MetadataValue.table(records)} if records else {}),
        },
    )
