"""Every rule of every source holds of a good delivery, and fails of one in which just its matter is damaged.

Generated rules are damaged by kind, all of a source at once; rules written beside a contract each by damages.yaml. A
rule of a new kind, or a new check of a contract, without a damage here breaks the suite.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipelines.quality.evidence import evidence
from pipelines.quality.failing_rows import failing_rows
from pipelines.quality.gate import judge
from pipelines.quality.profiles import profile
from pipelines.quality.suites import rules_of
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import Contract
from pipelines.warehouse import Warehouse, scratch_warehouse
from quality_checks.principles import Principle, Severity
from quality_checks.rules import Rule, RuleResult
from quality_checks.runner import run_rules
from tests.quality import damage, good

CONTRACTS = {name: each.as_delivered(good.DAY) for name, each in load_contracts(SHIPPED_SOURCES).items()}
CHECKS = yaml.safe_load((Path(__file__).parent / "damages.yaml").read_text(encoding="utf-8"))
SOURCES = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
#: Kinds of rules on the values of one column, which no rule of another column may notice.
OF_VALUES = ("codes", "form", "range", "genuine", "placeholder", "first_of_january")
#: What may be noticed of the table as a whole, and of a UPRN when the postcode beside it is damaged.
OF_THE_TABLE = ("repeated", "stalled", "unique", "uprn_postcode")


@pytest.fixture(scope="module", params=CONTRACTS.values(), ids=list(CONTRACTS))
def contract(request: pytest.FixtureRequest) -> Contract:
    found: Contract = request.param
    return found


@pytest.fixture(scope="module")
def wh(contract: Contract) -> Iterator[Warehouse]:
    """The contract's history, once for its tests: they leave it as it is, but for the last, which comes last."""
    with scratch_warehouse(as_of=good.DAY) as warehouse:
        good.with_history(warehouse, contract)
        yield warehouse


def judged(wh: Warehouse, spoiled: good.Candidate, rules: list[Rule]) -> list[RuleResult]:
    tables = {name: table.name for name, table in spoiled.tables.items()}
    steady = any(damage.kind_of(rule) in damage.AGAINST_THE_LAST for rule in rules)
    return run_rules(wh.con, rules, tables, evidence(wh, spoiled, profile(wh, spoiled) if steady else {}))


def test_a_good_delivery_fails_nothing_and_is_held_against_the_last(wh: Warehouse, contract: Contract) -> None:
    found = judge(wh, good.candidate(wh, contract))
    assert [r.rule.name for r in found.results if not r.passed and not r.rule.name.endswith(".stalled")] == []
    # what one good delivery can't show: a reference to a source that never came
    waits = {r.rule.name for r in found.results if not r.judged}
    assert waits <= {f"check.{name}" for name in CHECKS["needs_other_sources"].get(contract.name, ())}


def test_every_generated_rule_fails_where_its_matter_is_damaged(wh: Warehouse, contract: Contract) -> None:
    kinds: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules_of(contract):
        if not rule.name.startswith("check."):
            kinds[damage.kind_of(rule)].append(rule)
    for kind, rules in kinds.items():
        found = judged(wh, damage.spoil(wh, contract, kind, rules), rules)
        assert [r.rule.name for r in found if r.passed or not r.judged] == [], kind


def test_damage_to_the_values_of_one_column_fails_no_rule_of_another(wh: Warehouse, contract: Contract) -> None:
    spoiled, damaged, rules = good.candidate(wh, contract), set[tuple[str, str | None]](), rules_of(contract)
    for place, table in enumerate(contract.tables):
        order = [*OF_VALUES[place % len(OF_VALUES) :], *OF_VALUES]
        keys = {*table.key, *(c.staged for c in table.kept if c.references)}
        of_table = [
            r for r in rules if r.table == table.name and r.column not in keys and damage.kind_of(r) in OF_VALUES
        ]
        for rule in sorted(of_table, key=lambda rule: order.index(damage.kind_of(rule)))[:1]:
            damage.apply(wh, contract, damage.of_rule(contract, rule))
            damaged.add((rule.table, rule.column))
    failing = [result.rule for result in judged(wh, spoiled, rules) if not result.passed]
    assert damaged <= {(rule.table, rule.column) for rule in failing}
    others = [rule.name for rule in failing if (rule.table, rule.column) not in damaged]
    several = [name for name in others if name.startswith("check.") or damage.kind_of_name(name) in OF_THE_TABLE]
    assert sorted(others) == sorted(several)


def test_every_written_rule_fails_where_its_matter_is_damaged(wh: Warehouse, contract: Contract) -> None:
    written = CHECKS["checks"].get(contract.name, {})
    assert {check.name for check in contract.checks} == set(written), "each check needs its damage in damages.yaml"
    checks = [rule for rule in rules_of(contract) if rule.name.startswith("check.")]
    for rule in checks:
        spoiled = good.candidate(wh, contract)
        damage.apply(wh, contract, written[rule.name.removeprefix("check.")])
        results = judged(wh, spoiled, checks)
        (found,) = (result for result in results if result.rule.name == rule.name)
        assert found.judged and not found.passed, rule.name
        failing = {r.rule.name.removeprefix("check.") for r in results if not r.passed}
        also = CHECKS["also"].get(contract.name, {}).get(rule.name.removeprefix("check."), ())
        assert failing == {rule.name.removeprefix("check."), *also}
        good.stand(wh, contract)
        named = {row[2] for row in failing_rows(wh, contract, rule.name)}
        assert named and len(named) <= found.failures, rule.name
        assert all(re.match(r"\w+ \S", reference) for reference in named)


@SOURCES
def test_every_source_is_asked_about_every_principle_and_every_rule_is_tagged(contract: Contract) -> None:
    rules = rules_of(contract)
    assert {rule.principle for rule in rules} == set(Principle)
    assert any(rule.severity == Severity.CRITICAL for rule in rules)
    assert len({rule.name for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.source == contract.name and rule.owner == contract.owner and rule.sentence.endswith(".")
        assert rule.dimension is not None or rule.principle == Principle.RELEVANT


@SOURCES
def test_every_column_of_a_contract_is_asked_about(contract: Contract) -> None:
    asked = {(rule.table, rule.column) for rule in rules_of(contract)}
    assert {(table.name, column.staged) for table in contract.tables for column in table.kept} <= asked
