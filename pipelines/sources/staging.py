"""Raw text becomes typed candidate tables; what can't be typed is set aside with a reason, in encrypted places only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipelines.faults import plural
from pipelines.sources.contracts import Column, Contract, Table
from pipelines.sources.drift import Drift, LayoutRefused
from pipelines.sources.file_faults import FileRefused
from pipelines.sources.raw_tables import RawTable
from pipelines.sources.shapes import shape_of
from pipelines.sources.thresholds import (
    SET_ASIDE_ALWAYS,
    SET_ASIDE_LIMIT,
    UNREADABLE_ALWAYS,
    UNREADABLE_LIMIT,
)
from pipelines.warehouse import Warehouse

FAULT_COLUMNS = """source VARCHAR, delivery INTEGER, extract_date DATE, file VARCHAR, record BIGINT, line BIGINT,
    table_name VARCHAR, column_name VARCHAR, reason VARCHAR, kind VARCHAR, value VARCHAR, row_text VARCHAR,
    run_id VARCHAR"""
FAULTS = "memory.incoming.fault"


@dataclass(frozen=True)
class CandidateTable:
    """A typed table at the gate: its name, rows, rows set aside, and values that could not be typed by column."""

    name: str
    rows: int
    set_aside: int
    value_faults: Mapping[str, int]
    notes: tuple[str, ...] = ()


def typed(column: Column, text: str) -> str:
    """SQL that turns a raw text expression into the column's type; null where it can't be."""
    clean = f"nullif(trim({text}), '')"
    if column.type == "text":
        return clean
    if column.type == "date":
        formats = ", ".join("'" + form.replace("'", "''") + "'" for form in column.date_formats)
        return f"try_strptime({clean}, [{formats}])::DATE"
    digits = r"[+-]?[0-9]+" if column.type in ("integer", "bigint") else r"[+-]?[0-9]*\.?[0-9]+"
    return f"CASE WHEN regexp_full_match({clean}, '{digits}') THEN TRY_CAST({clean} AS {column.sql_type}) END"


def start_faults(wh: Warehouse) -> None:
    """An empty list of faults for one delivery."""
    wh.execute("CREATE SCHEMA IF NOT EXISTS memory.incoming")
    wh.execute(f"CREATE OR REPLACE TABLE {FAULTS} ({FAULT_COLUMNS})")


def stage(wh: Warehouse, contract: Contract, raw: RawTable, day: date) -> CandidateTable:
    """Build the candidate table of one raw table of the extract of that day.

    Raises FileRefused when too much of it can't be used, or when it speaks of another period.
    """
    table, name = raw.table, contract.candidate(raw.table.name)
    selected = ", ".join(f"{typed(column, column.staged)} AS {column.staged}" for column in table.kept)
    wh.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {selected}, {raw.record} AS _record FROM {raw.name}")
    if raw.broken:
        lines = [
            [line.record for line in raw.broken],
            [line.reason for line in raw.broken],
            [line.text for line in raw.broken],
            [line.line for line in raw.broken],
        ]
        _add(
            wh, raw, "SELECT unnest(?), NULL, unnest(?), 'row', NULL, unnest(?::VARCHAR[]), unnest(?::BIGINT[])", lines
        )
    note_drift(wh, raw.file.name, table, raw.drift, table.header_row)
    left_out = _leave_out(wh, raw, name)
    value_faults = _value_faults(wh, raw, name)
    _refuse_changed_type(wh, raw, name, value_faults)
    _refuse_other_period(wh, raw, name, day)
    lacking, repeated = _missing(wh, raw, name), _repeated(wh, raw, name)
    aside = len(raw.broken) + lacking + repeated
    rows = raw.rows - left_out + len(raw.broken) - aside
    _fill_in_lines(wh, raw)
    wh.execute(f"DROP TABLE {raw.name}")
    _refuse_when_hopeless(raw, rows, aside, lacking, repeated)
    notes = raw.notes
    if left_out and table.leave_out is not None:
        notes += (f"{table.name}: {plural(left_out, 'row')} left out: {table.leave_out.why}",)
    return CandidateTable(name, rows, aside, value_faults, notes)


def _leave_out(wh: Warehouse, raw: RawTable, name: str) -> int:
    """Drop rows that may not come in at all, before anything of them is kept; return how many."""
    rule = raw.table.leave_out
    if rule is None:
        return 0
    count = int(wh.scalar(f"SELECT count(*) FROM {name} WHERE {rule.column} = ?", [rule.value]))
    if count:
        wh.execute(f"DELETE FROM {raw.name} WHERE trim({rule.column}) = ?", [rule.value])
        wh.execute(f"DELETE FROM {name} WHERE {rule.column} = ?", [rule.value])
    return count


def _value_faults(wh: Warehouse, raw: RawTable, name: str) -> dict[str, int]:
    """Values that are there but don't fit their type: they become null, and the fault is kept."""
    castable = [column for column in raw.table.kept if column.type != "text"]
    if not castable:
        return {}
    held = wh.rows(f"SELECT {', '.join(f'''count(nullif(trim({c.staged}), ''))''' for c in castable)} FROM {raw.name}")[
        0
    ]
    kept = wh.rows(f"SELECT {', '.join(f'count({column.staged})' for column in castable)} FROM {name}")[0]
    faults = {}
    for column, before, after in zip(castable, held, kept, strict=True):
        if before == after:
            continue
        reason = "not_a_date" if column.type == "date" else "not_a_number"
        _add(
            wh,
            raw,
            f"SELECT {raw.record}, '{column.staged}', '{reason}', 'value', {column.staged}, NULL, {_line_of(raw)} "
            f"FROM {raw.name} "
            f"WHERE nullif(trim({column.staged}), '') IS NOT NULL AND {typed(column, column.staged)} IS NULL",
        )
        faults[column.staged] = before - after
    return faults


def note_drift(wh: Warehouse, file: str, table: Table, drift: Sequence[Drift], line: int) -> None:
    """Keep with the faults how a file's columns differ from the contract's."""
    for each in drift:
        column = next((c.staged for c in table.columns if c.name == each.column), None)
        wh.execute(
            f"INSERT INTO {FAULTS} (file, table_name, column_name, reason, kind, record, line, value) "
            "VALUES (?, ?, ?, ?, 'layout', ?, ?, ?)",
            [file, table.name, column, each.kind, each.position, line, each.found],
        )


def _refuse_changed_type(wh: Warehouse, raw: RawTable, name: str, value_faults: Mapping[str, int]) -> None:
    """A column that mostly can't be read has changed; it isn't taken in empty. Says what its values look like."""
    for staged, faults in value_faults.items():
        kept = int(wh.scalar(f"SELECT count({staged}) FROM {name}"))
        if faults < UNREADABLE_ALWAYS or faults <= UNREADABLE_LIMIT * (faults + kept):
            continue
        column = raw.table.column(staged)
        wanted = f"a date ({', '.join(column.date_formats)})" if column.type == "date" else f"{column.type}"
        looks = shape_of(wh, raw.name, staged)
        raise LayoutRefused(
            raw.file.name,
            f"{faults} of {faults + kept} values of the column {column.name} can't be read as {wanted}; they look like "
            f"{looks.words}: correct the extract, or the contract if the layout changed",
            line=raw.table.header_row,
            table=raw.table,
            drift=[Drift("type_changed", column.name, found=looks.words)],
        )


def _refuse_other_period(wh: Warehouse, raw: RawTable, name: str, day: date) -> None:
    """A column that states the extract's period must stand near the extract date."""
    for column in raw.table.kept:
        if column.period_days is None:
            continue
        off = f"abs(date_diff('day', {column.staged}, ?::DATE)) > {column.period_days}"
        outside = int(wh.scalar(f"SELECT count(*) FROM {name} WHERE {off}", [day]))
        if outside:
            raise FileRefused(
                raw.file.name,
                f"is of another period: in {plural(outside, 'row')} {column.name} lies more than {column.period_days} "
                f"days from the extract date, {day}; is it another month's file?",
            )


def _missing(wh: Warehouse, raw: RawTable, name: str) -> int:
    """Set aside rows without a key or a required value; return how many."""
    needed = [column.staged for column in raw.table.must_have]
    if not needed:
        return 0
    lacking = " OR ".join(f"{staged} IS NULL" for staged in needed)
    count = int(wh.scalar(f"SELECT count(*) FROM {name} WHERE {lacking}"))
    if count:
        first = "CASE " + " ".join(f"WHEN {staged} IS NULL THEN '{staged}'" for staged in needed) + " END"
        _set_aside(
            wh, raw, name, f"SELECT _record, {first} AS culprit FROM {name} WHERE {lacking}", "missing_or_unreadable"
        )
    return count


def _repeated(wh: Warehouse, raw: RawTable, name: str) -> int:
    """Set aside every row whose key an earlier row of the file has; return how many."""
    if not raw.table.key:
        return 0
    key = ", ".join(raw.table.key)
    distinct = f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {name})"
    count = int(wh.scalar(f"SELECT count(*) - ({distinct}) FROM {name}"))
    if count:
        later = (
            f"SELECT _record, '{raw.table.key[0]}' AS culprit FROM {name} "
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY _record) > 1"
        )
        _set_aside(wh, raw, name, later, "key_repeated")
    return count


def _set_aside(wh: Warehouse, raw: RawTable, name: str, chosen: str, reason: str) -> None:
    """Move chosen records out of the candidate table, keeping each whole row as JSON in the faults."""
    columns = ", ".join(f"'{staged}': r.\"{staged}\"" for staged in raw.table.staged_columns)
    wh.execute(f"CREATE OR REPLACE TABLE memory.incoming.chosen AS {chosen}")
    _add(
        wh,
        raw,
        f"SELECT c._record, c.culprit, '{reason}', 'row', NULL, to_json({{{columns}}})::VARCHAR, "
        f"{_line_of(raw)} "
        f"FROM (SELECT *, {raw.record} AS _number FROM {raw.name}) r "
        "JOIN memory.incoming.chosen c ON r._number = c._record",
    )
    wh.execute(f"DELETE FROM {name} WHERE _record IN (SELECT _record FROM memory.incoming.chosen)")
    wh.execute("DROP TABLE memory.incoming.chosen")


def _add(wh: Warehouse, raw: RawTable, select: str, params: Sequence[object] = ()) -> None:
    wh.execute(
        f"INSERT INTO {FAULTS} (record, column_name, reason, kind, value, row_text, line, file, table_name) "
        f"SELECT *, ?, ? FROM ({select})",
        [raw.file.name, raw.table.name, *params],
    )


def _line_of(raw: RawTable) -> str:
    """SQL: a raw row's line in the file, null where the reader doesn't know it."""
    return raw.line or "NULL::BIGINT"


def _fill_in_lines(wh: Warehouse, raw: RawTable) -> None:
    """Line in the file of each fault: the record's number, the header, and line ends inside earlier fields."""
    head = int(raw.table.header)
    where = f"WHERE table_name = '{raw.table.name}' AND line IS NULL"
    if not wh.scalar(f"SELECT count(*) FROM {FAULTS} {where}"):
        return
    inside = "0"
    if raw.file.lines != raw.rows + len(raw.broken) + head and raw.table.record_type is None:
        text = "concat(" + ", ".join(raw.table.staged_columns) + ")"
        ends = f"len({text}) - len(replace({text}, chr(10), ''))"
        wh.execute(
            f"CREATE OR REPLACE TABLE memory.incoming.folded AS SELECT {raw.record} AS r, {ends} AS ends "
            f"FROM {raw.name} WHERE contains({text}, chr(10))"
        )
        inside = "coalesce((SELECT sum(f.ends) FROM memory.incoming.folded f WHERE f.r < record), 0)"
    wh.execute(f"UPDATE {FAULTS} SET line = record + {head} + {inside} {where}")


def _refuse_when_hopeless(raw: RawTable, rows: int, aside: int, lacking: int, repeated: int) -> None:
    table: Table = raw.table
    if rows == 0 and aside == 0 and not table.may_be_empty:
        what = "a header and no rows" if table.header else "no rows"
        if table.record_type:
            what = f"no record of type {table.record_type}"
        if table.rows:
            what = f"no rows: no element {table.rows}"
        raise FileRefused(raw.file.name, f"holds {what}; ask for it again")
    if aside > SET_ASIDE_ALWAYS and aside > SET_ASIDE_LIMIT * (rows + aside):
        share = 100 * aside / (rows + aside)
        key = ", ".join(table.key)
        why = f": the key ({key}) of {repeated} came before; does it name a row?" if repeated > aside / 2 else ""
        if lacking > aside / 2:
            needed = ", ".join(column.name for column in table.must_have)
            why = f": {lacking} lack a value that each must hold ({needed})"
        raise FileRefused(
            raw.file.name,
            f"{aside} of {rows + aside} rows ({share:.1f} %) can't be used, more than the {100 * SET_ASIDE_LIMIT:g} % "
            f"that are set aside one by one{why}; see the list of faults and ask for it again",
        )
    if rows == 0 and aside:
        raise FileRefused(raw.file.name, "holds no row that can be used; ask for it again")
