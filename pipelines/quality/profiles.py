"""How the columns of an extract are distributed: counts only, kept a run, so that a sudden change can be seen.

No value of a person is kept: of text its length, of dates the month or five years (of the calendar, and of age), of
numbers a band of the series 1, 2, 5; values themselves only where the contract lists them as codes. Cells of fewer than
`small` rows are pooled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path

from pipelines.quality.thresholds import thresholds
from pipelines.sources.contracts import Column, Contract, Table
from pipelines.sources.intake import INTAKE, Candidate
from pipelines.warehouse import Warehouse, sql_list
from quality_checks.drift import TRUE

PROFILE = "identity.quality.profile"
_TABLE = Path(__file__).parent / "profile.sql"
NO = "no"
FEW = "few"
LONGEST = 60  # text beyond it counts as of this length


@dataclass(frozen=True)
class Cell:
    """So many rows of one cell of one measure of a column; an empty column name stands for the table."""

    table: str
    column: str
    measure: str
    cell: str
    count: int


Key = tuple[str, str, str]
Profile = dict[Key, dict[str, int]]  # by table, column and measure: counts by cell


def profile(wh: Warehouse, candidate: Candidate) -> Profile:
    """Every measure of an extract at the gate; those against the last extract only where it came after one."""
    found: Profile = {}
    for table in candidate.contract.tables:
        found |= _distributions(wh, candidate, table)
        if table.key and _comparable(wh, candidate, table):
            found |= _changes(wh, candidate, table)
    return found


def measures_of(column: Column) -> tuple[tuple[str, ...], ...]:
    """The measures by which the values of a column are spread, in groups: the column has moved if all measures of one
    group have. As a year passes, dates move by the calendar or by their age, not by both."""
    if column.codes is not None:
        return (("code",),)
    if column.type == "date":
        dates = ("era", "age")
        return (("month",), dates) if column.personal == "birth_date" else (dates,)  # births know no season
    return (("length",),) if column.type == "text" else (("band",),)


def compared(table: Table) -> list[Column]:
    """Columns of which a change since the last extract can be seen: beside the key."""
    return [column for column in table.kept if column.staged not in table.key] if table.key else []


def keep(wh: Warehouse, candidate: Candidate, found: Profile) -> None:
    """Write the profile of an extract, in place of what this run wrote of it before."""
    wh.execute(_TABLE.read_text(encoding="utf-8"))
    contract, day = candidate.contract.name, candidate.extract_date
    wh.execute(
        f"DELETE FROM {PROFILE} WHERE run_id = ? AND source = ? AND extract_date = ?", [wh.run_id, contract, day]
    )
    cells = [(*key, cell, count) for key, counts in found.items() for cell, count in pooled(counts).items()]
    if cells:
        columns = [list(part) for part in zip(*cells, strict=True)]
        wh.execute(
            f"INSERT INTO {PROFILE} SELECT ?, ?, ?, ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
            "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::BIGINT[])",
            [wh.run_id, contract, day, candidate.delivery, *columns],
        )


def history(wh: Warehouse, contract: Contract, before: date) -> dict[date, Profile]:
    """Profiles of the extracts in force that are older than a day, the newest first; of each what was written last."""
    if not wh.exists(PROFILE) or not wh.exists(INTAKE):
        return {}
    rows = wh.rows(
        f"""-- one row a cell of an accepted extract
        SELECT extract_date, table_name, column_name, measure, cell, count FROM {PROFILE}
        SEMI JOIN (FROM {INTAKE} WHERE state = 'accepted') AS held USING (source, extract_date, delivery)
        WHERE source = ? AND extract_date < ? AND extract_date >= ?
        ORDER BY extract_date DESC""",
        [contract.name, before, _reach(before)],
    )
    by_day: dict[date, Profile] = {}
    for day, table, column, measure, cell, count in rows:
        by_day.setdefault(day, {}).setdefault((table, column, measure), {})[cell] = count
    return by_day


def pooled(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts with the cells of few rows put together; a share's two cells stay, unless one of them is of few."""
    small = thresholds().small_cell
    large = {cell: count for cell, count in counts.items() if count >= small}
    few = sum(counts.values()) - sum(large.values())
    return large | ({FEW: few} if few else {})


def _reach(before: date) -> date:
    return date(before.year - 2, before.month, 1)


def _comparable(wh: Warehouse, candidate: Candidate, table: Table) -> bool:
    """Whether the last full extract of the table stands, is older, and the sender didn't announce a break with it."""
    staged = candidate.contract.staged(table.name)
    if candidate.previous.get(table.name) is None or not wh.exists(staged):
        return False
    newest = wh.scalar(f"SELECT max(extract_date) FROM {staged}")
    return newest is not None and newest < candidate.extract_date


def _distributions(wh: Warehouse, candidate: Candidate, table: Table) -> Profile:
    """Filled or not, and how the values lie: one scan a table."""
    name = candidate.tables[table.name].name
    there = set(wh.columns(name))
    kept = [column for column in table.kept if column.staged in there]
    asked: list[tuple[Key, str]] = []
    for column in kept:
        asked.append(((table.name, column.staged, "filled"), f'count("{column.staged}")'))
        for measure in chain(*measures_of(column)):
            cell = _cell(column, measure, candidate.extract_date)
            asked.append(((table.name, column.staged, measure), f"histogram({cell})"))
    answers = wh.rows(f"SELECT count(*), {', '.join(sql for _, sql in asked)} FROM {name}")[0]
    rows = int(answers[0])
    found: Profile = {}
    for (key, _), answer in zip(asked, answers[1:], strict=True):
        if key[2] == "filled":
            found[key] = {TRUE: int(answer), NO: rows - int(answer)}
        else:
            found[key] = {str(cell): int(count) for cell, count in (answer or {}).items()}
    others = [f'"{column.staged}"' for column in kept if column.staged not in table.key]
    if len(others) > 1:
        distinct = int(wh.scalar(f"SELECT count(DISTINCT hash({', '.join(others)})) FROM {name}"))
        found[table.name, "", "repeated"] = {TRUE: rows - distinct, NO: distinct}
    return found


def _changes(wh: Warehouse, candidate: Candidate, table: Table) -> Profile:
    """Rows gone, rows new, values that differ, all against the rows of the last extract with the same key."""
    here, staged = candidate.tables[table.name].name, candidate.contract.staged(table.name)
    there = set(wh.columns(here)) & set(wh.columns(staged))
    if not set(table.key) <= there:
        return {}
    columns = [column.staged for column in compared(table) if column.staged in there]
    differs = [f'now."{name}" IS DISTINCT FROM was."{name}"' for name in columns]
    on = " AND ".join(f'now."{name}" = was."{name}"' for name in table.key)
    first = table.key[0]
    both = f'now."{first}" IS NOT NULL AND was."{first}" IS NOT NULL'
    counts = [
        f'count(*) FILTER (now."{first}" IS NULL)',
        f'count(*) FILTER (was."{first}" IS NULL)',
        f"count(*) FILTER ({both})",
        f"count(*) FILTER ({both} AND ({' OR '.join(differs) or 'false'}))",
        *(f"count(*) FILTER ({both} AND {differ})" for differ in differs),
    ]
    gone, new, common, changed, *by_column = wh.rows(
        f"""-- one row: how the rows of a key differ
        SELECT {", ".join(counts)} FROM {here} AS now
        FULL JOIN (SELECT * FROM {staged} WHERE valid_to IS NULL) AS was ON {on}"""
    )[0]
    name = table.name
    found: Profile = {
        (name, "", "gone"): {TRUE: gone, NO: common},
        (name, "", "moved"): {TRUE: gone + new + changed, NO: common - changed},
    }
    for column, count in zip(columns, by_column, strict=True):
        found[name, column, "changed"] = {TRUE: count, NO: common - count}
    return found


def _cell(column: Column, measure: str, extract: date) -> str:
    """SQL: the cell of a value, null where there is none."""
    value, day = f'"{column.staged}"', f"DATE '{extract.isoformat()}'"
    if measure == "code":
        codes = sql_list(column.codes or ())
        return f"CASE WHEN {value} IN ({codes}) THEN {value} WHEN {value} IS NOT NULL THEN 'no code' END"
    if measure == "length":
        return f"least(length({value}), {LONGEST})"
    if measure == "month":
        return f"month({value})"
    if measure == "era":
        return f"CASE WHEN {value} > {day} THEN 'ahead' ELSE (year({value}) // 5 * 5)::VARCHAR END"
    if measure == "age":
        years = f"(date_sub('year', {value}, {day}) // 5 * 5)::VARCHAR"
        return f"CASE WHEN {value} > {day} THEN 'ahead' ELSE {years} END"
    size = f"floor(log10(abs({value}::DOUBLE)))"
    step = f"(abs({value}::DOUBLE) / pow(10, {size}))"
    band = f"CASE WHEN {step} < 2 THEN 1 WHEN {step} < 5 THEN 2 ELSE 5 END * pow(10, {size})"
    return f"CASE WHEN {value} = 0 THEN '0' ELSE concat(CASE WHEN {value} < 0 THEN '-' ELSE '' END, {band}) END"


def cells(found: Profile) -> Iterable[Cell]:
    """A profile as rows."""
    return (Cell(*key, cell, count) for key, counts in found.items() for cell, count in counts.items())
