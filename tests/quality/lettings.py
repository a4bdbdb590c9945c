"""A delivery of lettings at the gate: fine as it stands; tests spoil one thing at a time."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.sources.contract_files import load_contracts
from pipelines.sources.intake import Candidate
from pipelines.sources.staging import CandidateTable
from pipelines.warehouse import Warehouse

CONTRACT = load_contracts(Path(__file__).parent / "sources")["lettings"]
EXTRACT_DATE = date(2026, 10, 15)
PEOPLE = 40


def gazetteer(wh: Warehouse) -> None:
    """A gazetteer that knows the homes of `delivery`, all of them houses."""
    wh.execute(
        "CREATE OR REPLACE TABLE identity.staged.llpg__blpu AS "
        "SELECT 999000000000 + range AS uprn, 'RD03' AS class_code, "
        "'SS0 7CI' AS postcode_locator, NULL::DATE AS valid_to FROM range(100)"
    )


def delivery(
    wh: Warehouse,
    spoil: str | None = None,
    extract_date: date = EXTRACT_DATE,
    set_aside: int = 0,
    value_faults: Mapping[str, int] | None = None,
    previous: Mapping[str, int | None] | None = None,
    contract: Any = CONTRACT,
) -> Candidate:
    """Candidate tables in memory; `spoil` is SQL run on ${home} and ${holder} before the gate sees them."""
    wh.execute("CREATE SCHEMA IF NOT EXISTS memory.incoming")
    home, holder = contract.candidate("home"), contract.candidate("holder")
    wh.execute(
        f"""CREATE OR REPLACE TABLE {home} AS
            SELECT 'H' || i AS home_ref, 999000000000 + i AS uprn, 'SS0 7CI' AS postcode, i AS _record
            FROM range({PEOPLE}) AS r(i)"""
    )
    wh.execute(
        f"""CREATE OR REPLACE TABLE {holder} AS
            SELECT 'H' || i AS home_ref, 1::INTEGER AS person_no, 'Ada Example' AS full_name,
                   DATE '1960-02-03' + (i * 97)::INTEGER AS dob, 'ZZ' || lpad(i::VARCHAR, 6, '0') || 'T' AS ni_no,
                   '9990000018' AS nhs_number, 'SEC' AS tenure, DATE '2020-01-01' AS from_date,
                   DATE '2021-01-01' AS to_date, i AS _record
            FROM range({PEOPLE}) AS r(i)"""
    )
    for statement in (spoil or "").split(";"):
        if statement.strip():
            wh.execute(statement.replace("${home}", home).replace("${holder}", holder))
    tables = {
        name: CandidateTable(table, int(wh.scalar(f"SELECT count(*) FROM {table}")), set_aside, value_faults or {})
        for name, table in (("home", home), ("holder", holder))
    }
    return Candidate(contract, extract_date, 1, tables, previous or {"home": None, "holder": None})
