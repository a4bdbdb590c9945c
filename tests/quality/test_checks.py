"""One asset check a source and principle: errors where a critical rule failed, warnings elsewhere, nothing blocked."""

import dagster as dg
import pytest

from pipelines.quality.checks import CHECKS, Standing, check_results, check_specs
from pipelines.quality.gate import judge
from pipelines.warehouse import scratch_warehouse
from quality_checks.principles import Principle
from tests.quality.lettings import CONTRACT, delivery

ASSET = dg.AssetKey(["sources", "lettings"])
SPOIL = """
    UPDATE ${holder} SET full_name = NULL WHERE _record < 3;
    UPDATE ${holder} SET tenure = 'Zebediah' WHERE _record < 3
"""


def test_each_principle_is_a_check_that_blocks_nothing_downstream() -> None:
    specs = check_specs(ASSET, CONTRACT)
    assert [spec.name for spec in specs] == [str(principle) for principle in Principle]
    assert not any(spec.blocking for spec in specs)
    assert all(" 0 rules" not in str(spec.description) for spec in specs)


def test_critical_faults_are_errors_and_others_warnings() -> None:
    with scratch_warehouse() as wh:
        judge(wh, delivery(wh, SPOIL))
        results = {result.check_name: result for result in check_results(ASSET, CONTRACT, [Standing.of(wh)])}
    complete, valid, timely = results["complete"], results["valid"], results["timely"]
    assert (complete.passed, complete.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert (valid.passed, valid.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert timely.passed
    assert complete.metadata["critical rules failing"].value == 1
    assert "Zebediah" not in repr(results)


def test_a_source_never_judged_says_so() -> None:
    with scratch_warehouse() as wh:
        results = list(check_results(ASSET, CONTRACT, [Standing.of(wh)]))
    assert len(results) == 6
    assert all(
        not result.passed and result.severity == dg.AssetCheckSeverity.WARN and "judged yet" in str(result.description)
        for result in results
    )


def test_a_step_without_a_new_extract_shows_the_last_judgement() -> None:
    with scratch_warehouse() as wh:
        judge(wh, delivery(wh, SPOIL))
        found: list[Standing] = []
        CHECKS.gate(wh, found)
    assert {result.check_name for result in CHECKS.results(ASSET, CONTRACT, found) if not result.passed} == {
        "complete",
        "valid",
    }


@pytest.mark.filterwarnings("ignore")
def test_dagster_takes_the_checks_of_a_step_and_goes_on() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec(ASSET)], check_specs=check_specs(ASSET, CONTRACT))
    def take_in():  # type: ignore[no-untyped-def]
        with scratch_warehouse() as wh:
            found: list[Standing] = []
            verdict = CHECKS.gate(wh, found)(delivery(wh, SPOIL))
            assert not verdict.accept
            yield dg.MaterializeResult(asset_key=ASSET)
            yield from CHECKS.results(ASSET, CONTRACT, found)

    @dg.asset(deps=[ASSET])
    def downstream() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([take_in, downstream], instance=instance, raise_on_error=False)
    assert result.success
    assert {(check.check_name, check.passed) for check in result.get_asset_check_evaluations()} >= {
        ("complete", False),
        ("timely", True),
    }
