"""The suites of the shipped sources: every rule can be carried out on empty tables, and in the locked warehouse."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines.quality.gate import judge
from pipelines.quality.suites import rules_of
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import Contract, Table
from pipelines.sources.intake import Candidate
from pipelines.sources.staging import CandidateTable
from pipelines.warehouse import Warehouse, attach, connect, lock_configuration, scratch_warehouse
from quality_checks.principles import Principle
from tests.quality.damage import AGAINST_THE_LAST
from tests.quality.lettings import delivery

CONTRACTS = load_contracts(SHIPPED_SOURCES)


@pytest.fixture(scope="module")
def wh() -> Iterator[Warehouse]:
    with scratch_warehouse() as warehouse:
        if "llpg" in CONTRACTS:
            _empty(
                warehouse,
                CONTRACTS["llpg"].staged("blpu"),
                CONTRACTS["llpg"].table("blpu"),
                "valid_to DATE, extract_date DATE",
            )
        yield warehouse


def _empty(wh: Warehouse, name: str, table: Table, added: str) -> str:
    wh.execute("CREATE SCHEMA IF NOT EXISTS memory.incoming")
    columns = ", ".join(f"{column.staged} {column.sql_type}" for column in table.kept)
    wh.execute(f"CREATE OR REPLACE TABLE {name} ({columns}, {added})")
    return name


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=list(CONTRACTS))
def test_every_rule_can_be_carried_out_on_empty_tables(wh: Warehouse, contract: Contract) -> None:
    tables = {
        table.name: CandidateTable(_empty(wh, contract.candidate(table.name), table, "_record BIGINT"), 0, 0, {})
        for table in contract.tables
    }
    candidate = Candidate(contract, date(2026, 10, 15), 1, tables, dict.fromkeys(tables, 1000))
    found = judge(wh, candidate)
    assert len(found.results) == len(rules_of(contract))
    # Nothing is judged against earlier extracts without one that stands.
    waits = {result.rule.name.rpartition(".")[2] for result in found.results if not result.judged}
    assert waits <= {*AGAINST_THE_LAST, "every", "row_count_warning"}
    # An empty delivery is missing rows, and nothing else is wrong with it.
    must_hold_rows = not all(table.may_be_empty for table in contract.tables)
    missing = {Principle.COMPLETE} if must_hold_rows else set()
    assert {result.principle for result in found.refusals} == {*missing, Principle.RELIABLE}


def test_the_gate_works_in_the_locked_and_encrypted_warehouse(tmp_path: Path) -> None:
    con = connect(tmp_path / "temp", [tmp_path], "1GB", 2)
    try:
        attach(con, "identity", tmp_path / "identity.duckdb", bytes(range(32)))
        lock_configuration(con)
        warehouse = Warehouse(con, "locked", date(2026, 10, 31))
        assert judge(warehouse, delivery(warehouse)).accepted
        assert warehouse.scalar("SELECT count(*) FROM identity.quality.result") > 30
    finally:
        con.close()
