"""Agreement with other sources on sure matches is judged after linkage, and stands with the extract in force."""

import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from pipelines.quality.agreement import agreement_rules, note_agreement
from pipelines.quality.checks import agreement_checks, agreement_specs
from pipelines.quality.failing_rows import failing_rows
from pipelines.quality.gate import judge
from pipelines.scorecard.standing import judged_principles
from pipelines.sources.intake import make_intake_tables
from pipelines.warehouse import Warehouse, scratch_warehouse
from quality_checks.principles import Principle
from quality_checks.rules import RuleResult
from tests.quality.lettings import CONTRACT, EXTRACT_DATE, delivery

PEOPLE = 40
OTHER = CONTRACT.model_copy(update={"name": "register"})


@pytest.fixture
def wh() -> Iterator[Warehouse]:
    """Forty people, each a record in two sources that surely mean one person; the extract of one source was judged."""
    with scratch_warehouse() as warehouse:
        make_intake_tables(warehouse)
        judge(warehouse, delivery(warehouse))
        warehouse.execute(
            "INSERT INTO identity.meta.intake (source, extract_date, state) VALUES ('lettings', ?, 'accepted')",
            [EXTRACT_DATE],
        )
        warehouse.execute(
            "CREATE TABLE identity.people.record AS SELECT s || i AS record_id, s AS source, 'K' || i AS source_key, "
            "CASE WHEN i = 11 THEN 'refuge' END AS sensitivity, "
            "DATE '1960-01-01' + i::INTEGER AS birth_date, NULL::VARCHAR AS nino, '999' || i AS nhs_number "
            f"FROM range({PEOPLE}) AS r(i), unnest(['lettings', 'register']) AS u(s)"
        )
        warehouse.execute(
            "CREATE TABLE identity.linkage.edge AS SELECT 'lettings' || i AS record_l, 'register' || i AS record_r, "
            f"12.0 AS match_weight FROM range({PEOPLE}) AS r(i)"
        )
        warehouse.execute(
            "CREATE TABLE identity.linkage.membership AS SELECT 'data_quality' AS view, s || i AS record_id, "
            f"'p' || i AS person_id FROM range({PEOPLE}) AS r(i), unnest(['lettings', 'register']) AS u(s)"
        )
        warehouse.execute("CREATE TABLE identity.linkage.threshold AS SELECT 'data_quality' AS view, 4.0 AS link")
        yield warehouse


def counts(results: list[RuleResult]) -> tuple[int, int]:
    """How many were judged, and how many of them failed."""
    return sum(result.judged for result in results), sum(not result.passed for result in results)


def failing(wh: Warehouse) -> set[str]:
    judged = (each for principles in judged_principles(wh, "identity").values() for each in principles)
    return {rule.rule for each in judged for rule in each.failing if rule.rule.startswith("agreement.")}


def test_sources_that_agree_fail_nothing(wh: Warehouse) -> None:
    results = note_agreement(wh, [CONTRACT, OTHER])
    assert counts(results) == (4, 0)
    assert {result.reason for result in results if not result.judged} == {
        "fewer than 30 records can be held against another source"
    }
    assert failing(wh) == set()


@pytest.mark.parametrize("field", ["birth_date", "nhs_number"])
def test_a_source_that_others_contradict_is_named_and_told_once(wh: Warehouse, field: str) -> None:
    other = "birth_date + 31" if field == "birth_date" else "'1' || nhs_number"
    wh.execute(
        f"UPDATE identity.people.record SET {field} = {other} WHERE source = 'lettings' AND record_id < 'lettings2'"
    )
    for _ in range(2):  # a run again replaces what it said
        assert counts(note_agreement(wh, [CONTRACT, OTHER])) == (4, 2)  # either of two may be wrong
    assert failing(wh) == {f"agreement.{field}"}
    named = [row[2:4] for row in failing_rows(wh, CONTRACT, f"agreement.{field}")]
    assert named == [(f"K{number}", field) for number in ("0", "1", "10", *range(12, 20))]  # K11 is protected
    kept = "SELECT count(*), count(DISTINCT rule) FROM identity.quality.result WHERE rule LIKE 'agreement.%'"
    assert wh.rows(kept) == [(3, 3)]


def test_each_source_that_mentions_people_has_a_check_that_warns_and_tells_no_value(
    wh: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "person_record.sql").touch()
    people = [each.model_copy(update={"folder": tmp_path}) for each in (CONTRACT, OTHER)]
    wh.execute(
        "UPDATE identity.people.record SET birth_date = DATE '1871-12-24', nhs_number = 'Quillfeather' "
        "WHERE source = 'lettings'"
    )
    with caplog.at_level(logging.DEBUG):
        found = note_agreement(wh, people)
        results = {result.check_name: result for result in agreement_checks(people, found)}
    assert [spec.name for spec in agreement_specs(dg.AssetKey("agreement"), [*people, CONTRACT])] == list(results)
    assert {name: (result.passed, result.severity.value) for name, result in results.items()} == {
        "lettings": (False, "WARN"),
        "register": (False, "WARN"),
    }
    assert "Not so in 40 of 40 rows." in str(results["lettings"].description)
    kept = wh.rows("SELECT result::VARCHAR FROM identity.quality.result AS result WHERE rule LIKE 'agreement.%'")
    assert kept
    told = [repr(found), repr(results), repr(kept), caplog.text, *capfd.readouterr()]
    assert not [text for text in told if "Quillfeather" in text or "1871" in text]


def test_what_is_unsure_or_rare_says_nothing(wh: Warehouse) -> None:
    wh.execute("UPDATE identity.people.record SET birth_date = birth_date + 31 WHERE source = 'lettings'")
    wh.execute("UPDATE identity.linkage.edge SET match_weight = 3")
    assert counts(note_agreement(wh, [CONTRACT])) == (0, 0)
    wh.execute("UPDATE identity.linkage.edge SET match_weight = 12 WHERE record_l < 'lettings2'")
    assert counts(note_agreement(wh, [CONTRACT])) == (0, 0)


def test_the_results_are_of_the_extract_in_force_alone(wh: Warehouse) -> None:
    judge(wh, delivery(wh, extract_date=date(2026, 10, 30)))  # judged last, and not taken in
    note_agreement(wh, [CONTRACT])
    assert wh.scalar("SELECT count(*) FROM identity.quality.result WHERE rule LIKE 'agreement.%'") == 0


def test_every_rule_is_tagged() -> None:
    rules = agreement_rules(CONTRACT)
    assert rules
    for rule in rules:
        assert (rule.principle, rule.owner) == (Principle.ACCURATE, "Lettings team")
        assert rule.dimension and rule.sentence.endswith(".")


def test_without_linkage_nothing_is_judged() -> None:
    with scratch_warehouse() as bare:
        assert note_agreement(bare, [CONTRACT]) == []
