"""What the quality gate costs: one large source beside plain SQL, and the whole borough; seconds of CPU and clock.

`--landing` names the landing folder of a borough (`boroughlink synth`). Its benefits extract is read by the real
intake, its rows repeated under other keys until the source has `--rows`, and judged by every rule of its contract, with
its profile, without history and then with one. The floor is DuckDB asked the same of each row in one SELECT a table.
Then every source is judged as it is. Goals: 2 s for 500,000 rows once Great Expectations is imported; 15 s for the
borough. With `--rows 10000000` it is the proof that memory stays bounded: the warehouse gets `--memory` and may spill.
"""

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.quality.gate import judge
from pipelines.quality.suites import rules_of
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import Candidate, Verdict, make_intake_tables, take_in
from pipelines.warehouse import Warehouse, scratch_warehouse
from quality_checks.rules import Rule

LARGE = "benefits"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--landing", type=Path, required=True)
    asked.add_argument("--rows", type=int, default=500_000)
    asked.add_argument("--memory", default="2GB")
    given = asked.parse_args()
    contracts = load_contracts(SHIPPED_SOURCES)
    _, spent = timed(lambda: __import__("quality_checks.datasource"))
    print(f"import of Great Expectations: {spent}")
    large(contracts[LARGE], given.landing, given.rows, given.memory)
    if given.rows <= 500_000:
        borough(contracts, given.landing)
    print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def large(contract: Contract, landing: Path, wanted: int, memory: str) -> None:
    """Judge one source of so many rows, twice: without history, and against its own first extract."""

    def at_the_gate(candidate: Candidate) -> Verdict:
        held = sum(table.rows for table in candidate.tables.values())
        repeated = repeat(wh, candidate, -(-wanted // held))
        rows = sum(table.rows for table in repeated.tables.values())
        found, spent = timed(lambda: judge(wh, repeated))
        print(f"{contract.name}, {rows:,} rows, {len(found.results)} rules, first load: {spent}")
        _, floor = timed(lambda: plain(wh, repeated))
        print(f"  the same of each row in plain SQL: {floor}")
        stand(wh, repeated)
        later = replace(
            repeated,
            extract_date=repeated.extract_date + timedelta(days=30),
            previous={name: table.rows for name, table in repeated.tables.items()},
        )
        wh.as_of = later.extract_date
        found, spent = timed(lambda: judge(wh, later))
        print(f"{contract.name}, {rows:,} rows, against an extract before: {spent}")
        return Verdict(False, "measured")

    with scratch_warehouse() as wh:
        wh.execute(f"SET memory_limit = '{memory}'")
        newest(wh, contract, landing, at_the_gate)


def borough(contracts: dict[str, Contract], landing: Path) -> None:
    """Judge every source as it came; what all gates cost together."""
    spent, rows, rules = [0.0, 0.0], 0, 0
    with scratch_warehouse() as wh:
        for contract in contracts.values():

            def at_the_gate(candidate: Candidate) -> Verdict:
                nonlocal rows, rules
                begun = time.perf_counter(), time.process_time()
                rules += len(judge(wh, candidate).results)
                spent[0] += time.perf_counter() - begun[0]
                spent[1] += time.process_time() - begun[1]
                rows += sum(table.rows for table in candidate.tables.values())
                return Verdict(True)

            newest(wh, contract, landing, at_the_gate)
    print(f"borough, {rows:,} rows, {rules:,} rules: {spent[0]:.2f} s by the clock, {spent[1]:.2f} s of CPU (goal 15)")


def newest(wh: Warehouse, contract: Contract, landing: Path, gate: Callable[[Candidate], Verdict]) -> None:
    """Let the newest delivery of a source come to the gate, and no other."""
    day = max(date.fromisoformat(path.name[:10]) for path in (landing / contract.name).iterdir())
    wh.as_of = day + timedelta(days=1)
    take_in(wh, contract, landing, None, lambda c: gate(c) if c.extract_date == day else Verdict(False, "not asked"))


def repeat(wh: Warehouse, candidate: Candidate, times: int) -> Candidate:
    """The delivery with every row so many times, each under another key; what refers to a key follows it."""
    tables = {}
    for table in candidate.contract.tables:
        name = candidate.tables[table.name].name
        keys = {table.key[0], *(column.staged for column in table.columns if column.references)}
        other = ", ".join(f'"{key}" || \'-\' || i AS "{key}"' for key in keys)
        wh.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * REPLACE ({other}) FROM {name}, range({times}) AS r(i)")
        rows = int(wh.scalar(f"SELECT count(*) FROM {name}"))
        tables[table.name] = replace(candidate.tables[table.name], rows=rows)
    return replace(candidate, tables=tables)


def stand(wh: Warehouse, candidate: Candidate) -> None:
    """Make the delivery the one in force, as far as the gate looks at it."""
    make_intake_tables(wh)
    for name, table in candidate.tables.items():
        wh.execute(
            f"CREATE TABLE {candidate.contract.staged(name)} AS SELECT * EXCLUDE (_record), "
            f"DATE '{candidate.extract_date}' AS extract_date, NULL::DATE AS valid_to FROM {table.name}"
        )
    wh.execute(
        "INSERT INTO identity.meta.intake (delivery, source, extract_date, state) VALUES (?, ?, ?, 'accepted')",
        [candidate.delivery, candidate.contract.name, candidate.extract_date],
    )


def plain(wh: Warehouse, candidate: Candidate) -> None:
    """The rules that look at each row, in one SELECT a table."""
    rules = [rule for rule in rules_of(candidate.contract) if _measure(rule)]
    for name, table in candidate.tables.items():
        measures = [str(_measure(rule)) for rule in rules if rule.table == name]
        wh.rows(f"SELECT {', '.join(measures)} FROM {table.name}")


def _measure(rule: Rule) -> str | None:
    """SQL that counts the failing rows of a rule; None for those that look elsewhere."""
    column, given = f'"{rule.column}"', rule.parameters
    match rule.kind:
        case "filled":
            return f"count(*) - count({column})"
        case "pattern":
            regex = given["regex"].replace("'", "''")
            return f"count(*) FILTER (NOT regexp_full_match({column}, '{regex}'))"
        case "codes" | "not_among":
            values = ", ".join("'" + str(value).replace("'", "''") + "'" for value in given["values"])
            return f"count(*) FILTER ({column}::VARCHAR NOT IN ({values}))"
        case "between":
            low = given.get("min")
            return f"count(*) FILTER ({column} < '{low}')" if low is not None else f"max({column})"
        case "holds":
            return f"count(*) FILTER (NOT ({given['condition']}))"
        case "unique":
            columns = ", ".join(f'"{name}"' for name in given["columns"])
            return f"count(*) - count(DISTINCT ({columns}))"
        case "not_before":
            return f'count(*) FILTER ({column} < "{given["other"]}")'
    return None


def timed(work: Callable[[], Any]) -> tuple[Any, str]:
    """What it gives, and what it cost in words."""
    clock, cpu = time.perf_counter(), time.process_time()
    done = work()
    return done, f"{time.perf_counter() - clock:.2f} s by the clock, {time.process_time() - cpu:.2f} s of CPU"


if __name__ == "__main__":
    main()
