"""For any contract, a small delivery in which every rule holds, and a history for it to be held against.

Values follow from the contract: keys and references agree, codes come from the list, dates and numbers lie in their
range. What it can't know stands in good.yaml. A reference takes the value of the column that it points at.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from pipelines.quality.identifiers import UPRN_COLUMNS
from pipelines.quality.parts import GAZETTEER
from pipelines.quality.profiles import NO, PROFILE, compared, keep, profile
from pipelines.sources.contracts import Column, Contract, Table
from pipelines.sources.intake import Candidate, make_intake_tables
from pipelines.sources.staging import CandidateTable
from pipelines.warehouse import Warehouse
from quality_checks.drift import TRUE

GIVEN = yaml.safe_load((Path(__file__).parent / "good.yaml").read_text(encoding="utf-8"))
DAY, LAST, A_YEAR_AGO = date(2026, 10, 31), date(2026, 9, 30), date(2025, 10, 31)
ROWS = 120
_LATE = {"to", "end", "ended", "ends", "eot", "closed", "closure", "cancel", "cancelled", "cleared", "expiry", "death"}


def candidate(wh: Warehouse, contract: Contract, day: date = DAY, **changed: Any) -> Candidate:
    """The good delivery at the gate; `changed` replaces fields of its tables (set_aside, value_faults)."""
    wh.execute("CREATE SCHEMA IF NOT EXISTS memory.incoming")
    tables = {}
    for table in contract.tables:
        columns = ", ".join(f'({_value(contract, table, c)})::{c.sql_type} AS "{c.staged}"' for c in table.kept)
        name = contract.candidate(table.name)
        rows = _said(contract, table).get("rows", ROWS)
        wh.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {columns}, i AS _record FROM range({rows}) AS r(i)")
        tables[table.name] = CandidateTable(
            **({"name": name, "rows": rows, "set_aside": 0, "value_faults": {}} | changed)
        )
    return Candidate(contract, day, 2, tables, {name: table.rows for name, table in tables.items()})


def with_history(wh: Warehouse, contract: Contract) -> None:
    """The same delivery a month and a year ago, taken in: its rows stand, its profile is kept; half of it had moved."""
    if contract.name != GAZETTEER:
        gazetteer(wh)
    make_intake_tables(wh)
    before = candidate(wh, contract, LAST)
    stand(wh, contract, LAST)
    found = profile(wh, before)
    for table in contract.tables:
        found[table.name, "", "moved"] = {TRUE: ROWS // 2, NO: ROWS // 2}
        found[table.name, "", "gone"] = {NO: ROWS}
        found |= {(table.name, column.staged, "changed"): {NO: ROWS} for column in compared(table)}
    wh.execute(f"DROP TABLE IF EXISTS {PROFILE}")
    for day in (LAST, A_YEAR_AGO):
        keep(wh, replace(before, extract_date=day), found)
        for name, table in before.tables.items():
            wh.execute(
                "INSERT INTO identity.meta.intake (delivery, source, extract_date, state, table_name, rows, supply) "
                "VALUES (2, ?, ?, 'accepted', ?, ?, 'full')",
                [contract.name, day, name, table.rows],
            )


def stand(wh: Warehouse, contract: Contract, day: date = DAY) -> None:
    """What is at the gate is what stands."""
    for table in contract.tables:
        wh.execute(
            f"CREATE OR REPLACE TABLE {contract.staged(table.name)} AS SELECT * EXCLUDE (_record), "
            f"DATE '{day}' AS extract_date, NULL::DATE AS valid_to FROM {contract.candidate(table.name)}"
        )


def gazetteer(wh: Warehouse) -> None:
    """A gazetteer that knows every UPRN of the good deliveries, all of them dwellings at one postcode."""
    wh.execute(
        "CREATE OR REPLACE TABLE identity.staged.llpg__blpu AS SELECT 999000000000 + range AS uprn, "
        f"1 AS logical_status, 'SS0 7CI' AS postcode_locator, DATE '{LAST}' AS extract_date, "
        f"NULL::DATE AS valid_to FROM range({ROWS})"
    )


def _value(contract: Contract, table: Table, column: Column) -> str:
    """SQL of row i's value."""
    said = _said(contract, table)
    if column.staged in said:
        return str(said[column.staged])
    if column.references is not None:
        other, name = column.references.split(".", 1)
        return _value(contract, contract.table(other), contract.table(other).column(name))
    if column.codes:
        codes = ", ".join("'" + code.replace("'", "''") + "'" for code in column.codes)
        return f"[{codes}][1 + i % {len(column.codes)}]"
    if column.staged in UPRN_COLUMNS:
        return "999000000000 + i"
    if column.pattern is not None:
        return str(GIVEN["of_pattern"][column.pattern])
    if column.type == "date":
        return _day(column)
    if column.type == "text":
        return f"'{column.staged} ' || i"
    low = column.range.min if column.range and column.range.min is not None else 1
    span = min(15, column.range.max - low + 1) if column.range and column.range.max is not None else 15  # type: ignore
    return f"{low} + i" + ("" if column.staged in table.key else f" % {span}")


def _said(contract: Contract, table: Table) -> Mapping[str, Any]:
    given: Mapping[str, Any] = GIVEN["sources"].get(contract.name, {}).get(table.name, {})
    return given


def _day(column: Column) -> str:
    if column.personal == "birth_date":
        return "DATE '2002-01-02' + (i * 37)::INTEGER"
    first = "2025-08-10" if _LATE & set(column.staged.split("_")) else "2025-02-10"
    return f"DATE '{first}' + i::INTEGER"
