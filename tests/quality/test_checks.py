"""One asset check a source and principle: errors where a critical rule failed, warnings elsewhere, nothing blocked."""

from datetime import date, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

from pipelines.quality.checks import CHECKS, Standing, check_results, check_specs
from pipelines.quality.gate import judge
from pipelines.sources.assets import extract_specs, precedence
from pipelines.sources.catalogue import Catalogue
from pipelines.warehouse import scratch_warehouse
from quality_checks.principles import Principle
from tests.quality.lettings import CONTRACT, delivery

ASSET = dg.AssetKey(["sources", "lettings"])
SPOIL = """
    UPDATE ${holder} SET full_name = NULL WHERE _record < 3;
    UPDATE ${holder} SET tenure = 'Zebediah' WHERE _record < 3
"""


def test_a_source_is_taken_in_before_those_that_are_held_against_it() -> None:
    assert CHECKS.reads(CONTRACT) == {"llpg"}  # by the UPRN and by a check
    first = precedence({"benefits": {"llpg", "rents"}, "rents": {"llpg"}, "llpg": {"nowhere"}, "a": {"b"}, "b": {"a"}})
    assert first["llpg"] > first["rents"] > first["benefits"] == 0


def test_each_principle_is_a_check_that_blocks_nothing_downstream() -> None:
    specs = check_specs(ASSET, CONTRACT)
    assert [spec.name for spec in specs] == [str(principle) for principle in Principle]
    assert not any(spec.blocking for spec in specs)
    assert all(" 0 rules" not in str(spec.description) for spec in specs)


def test_critical_faults_are_errors_and_others_warnings() -> None:
    with scratch_warehouse() as wh:
        judge(wh, delivery(wh, SPOIL))
        results = {
            result.check_name: result for result in check_results(ASSET, CONTRACT, [Standing.of(wh, CONTRACT.name)])
        }
    complete, valid, timely = results["complete"], results["valid"], results["timely"]
    assert (complete.passed, complete.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert (valid.passed, valid.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert timely.passed
    assert complete.metadata["critical rules failing"].value == 1
    assert "Zebediah" not in repr(results)


def test_a_source_never_judged_says_so() -> None:
    with scratch_warehouse() as wh:
        results = list(check_results(ASSET, CONTRACT, [Standing.of(wh, CONTRACT.name)]))
    assert len(results) == 6
    assert all(
        not result.passed and result.severity == dg.AssetCheckSeverity.WARN and "judged yet" in str(result.description)
        for result in results
    )


def test_a_step_without_a_new_extract_shows_the_last_judgement() -> None:
    with scratch_warehouse() as wh:
        judge(wh, delivery(wh, SPOIL))
        found: list[Standing] = []
        CHECKS.gate(wh, CONTRACT.name, found)
    assert {result.check_name for result in CHECKS.results(ASSET, CONTRACT, found) if not result.passed} == {
        "complete",
        "valid",
    }


def test_an_overdue_extract_warns_under_timely_though_the_last_one_was_in_time() -> None:
    overdue = date(2026, 10, 31) + timedelta(days=CONTRACT.refresh_days)
    with scratch_warehouse(as_of=overdue) as wh:
        judge(wh, delivery(wh))
        standing = Standing.of(wh, CONTRACT.name)
        results = {result.check_name: result for result in check_results(ASSET, CONTRACT, [standing])}
    assert "days ago" in str(standing.late(CONTRACT))
    timely = results["timely"]
    assert (timely.passed, timely.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert str(timely.description).startswith("The next extract was due by")


def test_what_a_source_sends_is_fresh_as_its_contract_promised() -> None:
    (spec,) = extract_specs(Catalogue({CONTRACT.name: CONTRACT}))
    policy = spec.freshness_policy
    assert isinstance(policy, TimeWindowFreshnessPolicy)
    assert policy.warn_window is not None and policy.warn_window.to_timedelta() == timedelta(days=CONTRACT.refresh_days)
    assert policy.fail_window.to_timedelta() == timedelta(days=2 * CONTRACT.refresh_days)


@pytest.mark.filterwarnings("ignore")
def test_dagster_takes_the_checks_of_a_step_and_goes_on() -> None:
    @dg.multi_asset(specs=[dg.AssetSpec(ASSET)], check_specs=check_specs(ASSET, CONTRACT))
    def take_in():  # type: ignore[no-untyped-def]
        with scratch_warehouse() as wh:
            found: list[Standing] = []
            verdict = CHECKS.gate(wh, CONTRACT.name, found)(delivery(wh, SPOIL))
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
