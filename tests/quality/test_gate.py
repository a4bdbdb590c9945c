"""Each promise of a contract is kept by the gate: broken, its rule fails, and only critical ones refuse the extract."""

import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.faults import BoroughlinkError
from pipelines.quality.failing_rows import failing_rows
from pipelines.quality.gate import GateBroken, GateResult, gate, judge
from pipelines.quality.suites import rules_of
from pipelines.scorecard.standing import judged_principles
from pipelines.sources.contract_files import ContractError, load_contracts
from pipelines.warehouse import Warehouse, scratch_warehouse
from quality_checks.principles import Principle
from tests.quality.lettings import CONTRACT, delivery, gazetteer

FAULTS = yaml.safe_load((Path(__file__).parent / "faults.yaml").read_text(encoding="utf-8"))
CANARY = "Zebediah Quillfeather"


@pytest.fixture(scope="module")
def wh() -> Iterator[Warehouse]:
    with scratch_warehouse() as warehouse:
        gazetteer(warehouse)
        yield warehouse


def failing(found: GateResult) -> dict[str, str]:
    return {result.rule.name: str(result.severity) for result in found.results if not result.passed}


def test_a_fine_delivery_fails_nothing(wh: Warehouse) -> None:
    found = judge(wh, delivery(wh))
    assert failing(found) == {}
    assert found.accepted and found.reason is None


@pytest.mark.parametrize("fault", FAULTS, ids=[fault["fault"] for fault in FAULTS])
def test_a_fault_fails_its_rule_and_no_other(wh: Warehouse, fault: dict[str, Any]) -> None:
    candidate = delivery(wh, **fault["given"])
    found = judge(wh, candidate)
    assert failing(found) == fault["fails"]
    assert found.accepted == ("critical" not in fault["fails"].values())
    principles = {str(result.principle) for result in found.results if not result.passed}
    assert principles == set(fault["principles"])


def test_each_principle_is_asked_and_each_rule_is_tagged() -> None:
    rules = rules_of(CONTRACT)
    assert {rule.principle for rule in rules} == set(Principle)
    assert len({rule.name for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.source == "lettings" and rule.owner == "Lettings team"
        assert rule.dimension is not None or rule.principle == Principle.RELEVANT
        assert rule.sentence.endswith(".")


def test_a_purpose_that_has_run_out_or_is_not_stated_is_seen(wh: Warehouse) -> None:
    expired = CONTRACT.purposes["risk"].model_copy(update={"expires": date(2026, 3, 31)})
    column = CONTRACT.tables[0].columns[0].model_copy(update={"why": ""})
    home = CONTRACT.tables[0].model_copy(update={"columns": (column, *CONTRACT.tables[0].columns[1:])})
    update = {"purposes": CONTRACT.purposes | {"risk": expired}, "tables": (home, CONTRACT.tables[1])}
    found = judge(wh, delivery(wh, contract=CONTRACT.model_copy(update=update)))
    assert failing(found) == {"home.expired_purposes": "warning", "home.purpose": "warning"}
    assert found.accepted


def test_what_needs_another_source_waits_for_it() -> None:
    with scratch_warehouse() as bare:
        found = judge(bare, delivery(bare))
    waiting = {result.rule.name: result.reason for result in found.results if not result.judged}
    assert waiting["home.row_count_critical"] == "nothing to compare with yet"
    for rule in ("check.home_is_no_shop", "home.uprn.known_uprn", "home.uprn.uprn_postcode"):
        assert waiting[rule] == "no extract of llpg has been taken in yet"
    assert found.accepted


def standing(wh: Warehouse) -> None:
    """The rows that were delivered, as what stands of the source."""
    for table in CONTRACT.tables:
        wh.execute(
            f"CREATE TABLE {CONTRACT.staged(table.name)} AS SELECT *, DATE '2026-10-15' AS extract_date, "
            f"NULL::DATE AS valid_to FROM {CONTRACT.candidate(table.name)}"
        )


def test_the_rows_behind_a_rule_are_those_that_it_counts() -> None:
    spoil = """
        UPDATE ${home} SET uprn = -1 WHERE _record < 3; UPDATE ${home} SET uprn = 1 WHERE _record IN (3, 4);
        UPDATE ${home} SET postcode = 'ss07cj' WHERE _record BETWEEN 10 AND 13;
        UPDATE ${holder} SET dob = DATE '1970-01-01' WHERE _record < 15
    """
    with scratch_warehouse() as wh:
        gazetteer(wh)
        found = {result.rule.name: result.failures for result in judge(wh, delivery(wh, spoil)).results}
        standing(wh)
        for rule, count in {
            "home.uprn.known_uprn": 2,
            "home.uprn.uprn_postcode": 4,
            "holder.dob.first_of_january": 15,
        }.items():
            assert (found[rule], len(failing_rows(wh, CONTRACT, rule))) == (count, count), rule


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT full_name AS home_ref, true AS fails FROM ${holder}",
        "WITH h AS (SELECT home_ref || full_name AS home_ref FROM ${holder}) SELECT home_ref, true AS fails FROM h",
        "SELECT home_ref, true AS fails FROM (SELECT dob::VARCHAR FROM ${holder}) AS h(home_ref)",
        "SELECT home_ref, true AS fails FROM ${home} UNION ALL SELECT full_name, true FROM ${holder}",
    ],
)
def test_no_name_of_a_key_shows_what_is_personal(sql: str, tmp_path: Path) -> None:
    (tmp_path / "check.sql").write_text(sql)
    check = CONTRACT.checks[0].model_copy(update={"name": "aliased", "sql": tmp_path / "check.sql"})
    contract = CONTRACT.model_copy(update={"checks": (check,)})
    with scratch_warehouse() as wh:
        delivery(wh)
        standing(wh)
        with pytest.raises(BoroughlinkError, match="no key that may be shown"):
            failing_rows(wh, contract, "check.aliased")


def test_a_row_whose_person_another_record_protects_is_named_to_nobody(tmp_path: Path) -> None:
    with scratch_warehouse() as wh:
        delivery(wh, "UPDATE ${holder} SET dob = DATE '1970-01-01' WHERE _record < 5")
        standing(wh)
        wh.execute("ALTER TABLE identity.staged.lettings__holder ADD COLUMN record_id VARCHAR")
        wh.execute("UPDATE identity.staged.lettings__holder SET record_id = 'lettings:' || home_ref")
        rows = "SELECT record_id, NULL::VARCHAR AS sensitivity FROM identity.staged.lettings__holder"
        wh.execute(f"CREATE TABLE identity.facts.person_record AS {rows}")
        wh.execute(f"CREATE TABLE identity.people.record AS {rows}")
        assert len(failing_rows(wh, CONTRACT, "holder.dob.first_of_january")) == 5
        wh.execute("UPDATE identity.people.record SET sensitivity = 'refuge' WHERE record_id = 'lettings:H3'")
        named = {row[2] for row in failing_rows(wh, CONTRACT, "holder.dob.first_of_january")}
        assert named == {f"home_ref H{each} / person_no 1" for each in (0, 1, 2, 4)}


def test_the_verdict_says_why_in_words_and_counts(wh: Warehouse) -> None:
    seen: list[GateResult] = []
    verdict = gate(wh, seen)(delivery(wh, "UPDATE ${holder} SET full_name = NULL WHERE _record < 3"))
    assert not verdict.accept
    assert verdict.reason == "holder.full_name is filled in every row. Not so in 3 of 40 rows."
    assert [result.source for result in seen] == ["lettings"]


def test_results_are_kept_once_a_run_and_scored(wh: Warehouse) -> None:
    for _ in range(2):
        judge(
            wh, delivery(wh, "UPDATE ${holder} SET tenure = 'QQQ' WHERE _record < 10", extract_date=date(2026, 10, 30))
        )
    kept = wh.rows(
        "SELECT run_id, rows, failures, share, passed, owner FROM identity.quality.result "
        "WHERE rule = 'holder.tenure.codes' AND extract_date = '2026-10-30'"
    )
    assert kept == [("scratch", 40, 10, 0.25, False, "Lettings team")]
    scores = {score.principle: score for score in judged_principles(wh, "identity")[CONTRACT.name]}
    assert list(scores) == [str(principle) for principle in Principle]
    assert scores["valid"].state == "warns" and scores["valid"].score is not None and scores["valid"].score < 100
    assert scores["valid"].faults == (
        "holder.tenure holds only codes that the contract lists. Not so in 10 of 40 rows.",
    )
    assert scores["complete"].state == "holds" and scores["complete"].score == 100


def test_no_scores_before_the_first_gate() -> None:
    with scratch_warehouse() as bare:
        assert judged_principles(bare, "identity") == {}


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELECT home_ref, full_name::INTEGER = 1 AS fails FROM ${holder}", "Conversion Error"),
        ("SELECT count(*) AS rows, 0 AS failures FROM ${holder}", "Binder Error"),
        ("SELECT home_ref, 'Ada' AS fails FROM ${holder}", "Conversion Error"),
        ("SELECT home_ref, false AS fails FROM nowhere", "Catalog Error"),
        ("SELEC home_ref", "Parser Error"),
        ("SELECT 1 AS k, false AS fails; DROP TABLE nowhere", "Parser Error"),
        ("", "Parser Error"),
    ],
)
def test_a_broken_check_neither_accepts_nor_refuses(wh: Warehouse, tmp_path: Path, sql: str, fault: str) -> None:
    broken = tmp_path / "broken.sql"
    broken.write_text(sql, encoding="utf-8")
    check = CONTRACT.checks[0].model_copy(update={"name": "broken", "sql": broken})
    contract = CONTRACT.model_copy(update={"checks": (check,)})
    with pytest.raises(GateBroken, match=r"Check check\.broken is broken") as told:
        judge(wh, delivery(wh, contract=contract))
    assert fault in str(told.value) and "Ada" not in str(told.value)


def test_a_pattern_that_the_database_can_not_compile_is_a_broken_check(wh: Warehouse) -> None:
    column = CONTRACT.tables[0].column("postcode").model_copy(update={"pattern": "(?=S)SS0 7CI"})
    columns = tuple(column if each.staged == "postcode" else each for each in CONTRACT.tables[0].columns)
    home = CONTRACT.tables[0].model_copy(update={"columns": columns})
    with pytest.raises(GateBroken, match=r"Check home\.postcode\.form is broken"):
        judge(wh, delivery(wh, contract=CONTRACT.model_copy(update={"tables": (home, CONTRACT.tables[1])})))


def test_a_check_of_a_table_that_is_not_here_is_a_mistake_of_the_contract(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parent / "sources" / "lettings", tmp_path / "lettings")
    (tmp_path / "lettings" / "checks" / "home_is_no_shop.sql").write_text("SELECT k, false AS fails FROM ${hoem}")
    with pytest.raises(ContractError, match=r"home_is_no_shop > sql: its SQL asks for \$\{hoem\}"):
        load_contracts(tmp_path)


def test_no_planted_value_leaves_the_gate(
    wh: Warehouse, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil = f"UPDATE ${{holder}} SET full_name = '{CANARY}', tenure = '{CANARY}', ni_no = '{CANARY}'"
    with caplog.at_level(logging.DEBUG):
        found = judge(wh, delivery(wh, spoil, extract_date=date(2026, 10, 31)))
    kept = wh.rows("SELECT result::VARCHAR FROM identity.quality.result AS result")
    out, err = capfd.readouterr()
    texts = [repr(found), str(found.reason), repr(kept), repr(judged_principles(wh, "identity")), caplog.text, out, err]
    assert failing(found)
    assert not [text for text in texts if "Zebediah" in text or "Quillfeather" in text]


def test_great_expectations_is_not_imported_with_the_room() -> None:
    rooms = "pipelines.quality.gate, pipelines.scorecard.standing"
    code = f"import sys, {rooms}; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
