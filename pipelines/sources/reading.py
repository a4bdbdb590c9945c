"""Reads files into raw tables in memory: all text, columns found by name, lines that don't parse set aside.

CSV is read here; XML and workbooks in `reading_rows`.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import duckdb

from pipelines.sources.contracts import Contract, Table
from pipelines.sources.drift import Drift
from pipelines.sources.file_faults import FileRefused, Inspected
from pipelines.sources.raw_tables import Broken, RawTable, columns_in_order
from pipelines.sources.reading_rows import read_workbook, read_xml_file
from pipelines.sources.thresholds import LONGEST_LINE, REFUSED_LINE
from pipelines.warehouse import Warehouse, WarehouseError

_REASONS = {
    "MISSING COLUMNS": "too_few_fields",
    "TOO MANY COLUMNS": "too_many_fields",
    "UNQUOTED VALUE": "stray_quote",
}


def read_file(wh: Warehouse, contract: Contract, file: Inspected, tables: Sequence[Table]) -> list[RawTable]:
    """Read one file into the raw table of each of its tables. Raises FileRefused, or WarehouseError if DuckDB fails."""
    if tables[0].format == "xml":
        raw = read_xml_file(wh, contract, file, tables)
    elif tables[0].format == "xlsx":
        raw = read_workbook(wh, contract, file, tables)
    elif tables[0].record_type is None:
        raw = [_read_plain(wh, contract, file, tables[0])]
    else:
        raw = _read_mixed(wh, contract, file, tables)
    if not file.unchanged():
        raise FileRefused(file.name, "changed while it was read; it will be looked at again in the next run")
    return raw


def header_of(file: Inspected, contract: Contract) -> list[str]:
    """The column names in a file's first line. Raises FileRefused where it is no line of CSV."""
    encoding = "utf-8-sig" if contract.encoding == "utf-8" else contract.encoding
    with file.path.open("rb") as source:
        line = source.readline(LONGEST_LINE).decode(encoding, errors="replace")
    try:
        return [name.strip() for name in next(csv.reader(io.StringIO(line), delimiter=contract.delimiter), [])]
    except csv.Error:
        said = "has a heading that can't be read as CSV: its line ends are mixed, or a name in it is far too long"
        raise FileRefused(file.name, f"{said}; ask for the extract again", line=1) from None


def _read_plain(wh: Warehouse, contract: Contract, file: Inspected, table: Table) -> RawTable:
    notes: tuple[str, ...] = ()
    order = [column.staged for column in table.in_file]
    drift: list[Drift] = []
    if table.header:
        order, drift = columns_in_order(table, file, header_of(file, contract))
        if drift:
            notes = (f"{file.name}: the columns stand in another order than in the contract; read by name",)
    name = f"memory.incoming.raw__{contract.name}__{table.name}"
    broken = _load(wh, contract, file, name, order, table.header, padded=False)
    rows = int(wh.scalar(f"SELECT count(*) FROM {name}"))
    _refuse_cut_off(file, rows, broken)
    record = _number_records(wh, name, broken)
    record, broken = _set_long_lines_aside(wh, file, name, record, order, broken)
    rows = int(wh.scalar(f"SELECT count(*) FROM {name}"))
    if table.row_number is not None:
        wh.execute(f"ALTER TABLE {name} ADD COLUMN {table.row_number} VARCHAR")
        wh.execute(f"UPDATE {name} SET {table.row_number} = {record}")
    return RawTable(table, file, name, record, rows, broken, notes, drift=tuple(drift))


def _read_mixed(wh: Warehouse, contract: Contract, file: Inspected, tables: Sequence[Table]) -> list[RawTable]:
    """A file of several record types. Its lines are padded to one width; a line's own width must be its type's."""
    mixed = f"memory.incoming.raw__{contract.name}__mixed"
    width = max(len(table.columns) for table in tables) + 1
    fields = [f"f{at}" for at in range(width + 1)]
    broken = _load(wh, contract, file, mixed, fields, header=False, padded=True)
    rows = int(wh.scalar(f"SELECT count(*) FROM {mixed}"))
    _refuse_cut_off(file, rows, broken)
    record = _number_records(wh, mixed, broken)
    record, broken = _set_long_lines_aside(wh, file, mixed, record, fields, broken)
    rows = int(wh.scalar(f"SELECT count(*) FROM {mixed}"))
    known = {table.record_type: table for table in tables}
    width_of = " ".join(f"WHEN '{kind}' THEN {len(table.columns)}" for kind, table in known.items())
    right = f"(f1 IS NOT NULL AND CASE f0 {width_of} END = {width} - {_padding(fields)})"
    wrong = wh.rows(
        f"SELECT {record} AS r, CASE f0 {width_of} END IS NULL, concat_ws(',', {', '.join(fields)}) FROM {mixed} "
        f"WHERE ({right}) IS NOT TRUE ORDER BY r"
    )
    last_record = rows + len(broken)
    if not file.ends_whole and any(row[0] == last_record for row in wrong):
        raise FileRefused(file.name, "is cut off in its last line; ask for it again", line=file.lines)
    broken += tuple(
        Broken(row[0], "unknown_record_type" if row[1] else "wrong_number_of_fields", row[2]) for row in wrong
    )
    _check_trailer(wh, file, tables, mixed, record)
    found = []
    for table in tables:
        name = f"memory.incoming.raw__{contract.name}__{table.name}"
        columns = ", ".join(f"f{at} AS {column.staged}" for at, column in enumerate(table.columns, 1) if column.keep)
        wh.execute(
            f"CREATE OR REPLACE TABLE {name} AS SELECT {columns}, {record} AS _record FROM {mixed} "
            f"WHERE f0 = '{table.record_type}' AND {right}"
        )
        count = int(wh.scalar(f"SELECT count(*) FROM {name}"))
        mine = broken if table is tables[0] else ()  # a broken line is told once, with the first table of the file
        found.append(RawTable(table, file, name, "_record", count, mine))
    wh.execute(f"DROP TABLE {mixed}")
    return found


def _padding(fields: list[str]) -> str:
    """SQL: how many fields from the right were not in the line at all (an empty field is '', a padded one null)."""
    cases = " ".join(f"WHEN {name} IS NOT NULL THEN {back}" for back, name in enumerate(reversed(fields[1:])))
    return f"CASE {cases} ELSE {len(fields) - 1} END"


def _check_trailer(wh: Warehouse, file: Inspected, tables: Sequence[Table], mixed: str, record: str) -> None:
    """The last record states how many records the file holds, headers and trailers not counted."""
    for table in tables:
        at = next((number for number, column in enumerate(table.columns, 1) if column.counts_records), None)
        if at is None:
            continue
        trailers = wh.rows(
            f"SELECT TRY_CAST(f{at} AS BIGINT), {record} = (SELECT max({record}) FROM {mixed}) "
            f"FROM {mixed} WHERE f0 = '{table.record_type}'"
        )
        if len(trailers) != 1 or not trailers[0][1]:
            raise FileRefused(
                file.name, f"doesn't end with its one trailer record ({table.record_type}); it is cut off"
            )
        counts = [_records(wh, mixed, tables, {"always"}), _records(wh, mixed, tables, {"always", "either"})]
        if trailers[0][0] not in counts:
            said = f"its trailer counts another number of records than the {counts[0]} there; ask for it again"
            raise FileRefused(file.name, said, line=file.lines)


def _records(wh: Warehouse, mixed: str, tables: Sequence[Table], counted: set[str]) -> int:
    """Records in a mixed file that a trailer counts; lines of no known type count too."""
    left_out = ", ".join(f"'{table.record_type}'" for table in tables if table.counted not in counted)
    return int(wh.scalar(f"SELECT count(*) FROM {mixed}" + (f" WHERE f0 NOT IN ({left_out})" if left_out else "")))


def _load(
    wh: Warehouse, contract: Contract, file: Inspected, name: str, columns: list[str], header: bool, padded: bool
) -> tuple[Broken, ...]:
    """read_csv into a table, without any guessing; an empty field is '' so that a padded one (null) can be told."""
    types = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    padding = "null_padding = true, " if padded else ""
    wh.execute("CREATE SCHEMA IF NOT EXISTS memory.incoming")
    wh.execute("DROP TABLE IF EXISTS intake_rejects")
    wh.execute("DROP TABLE IF EXISTS intake_scans")
    try:
        wh.con.execute(
            f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM read_csv(?, columns = {{{types}}}, "
            f"auto_detect = false, header = {str(header).lower()}, delim = '{contract.delimiter}', quote = '\"', "
            f"escape = '\"', nullstr = chr(1), encoding = '{contract.encoding}', {padding}"
            f"max_line_size = {REFUSED_LINE}, store_rejects = true, rejects_limit = 0, "
            "rejects_table = 'intake_rejects', rejects_scan = 'intake_scans')",
            [literal_glob(file.path)],
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        raise FileRefused(
            file.name, "can't be read as CSV: its line ends or quotes are mixed; ask for the extract again"
        ) from None
    except duckdb.Error as fault:
        raise WarehouseError(
            f"Reading {file.name} failed ({type(fault).__name__}); see `boroughlink doctor`."
        ) from None
    rejected = wh.rows(
        "SELECT line, min(error_type::VARCHAR), any_value(csv_line) FROM intake_rejects GROUP BY line ORDER BY line"
    )
    wh.execute("DROP TABLE IF EXISTS intake_rejects")
    wh.execute("DROP TABLE IF EXISTS intake_scans")
    for line, kind, text in rejected:
        if kind == "UNQUOTED VALUE" and "\n" in text:
            raise FileRefused(file.name, "has a quote that is opened and never closed; ask for it again", line=line)
        if kind == "LINE SIZE OVER MAXIMUM":  # and what follows it in DuckDB's buffer is lost
            said = f"holds a record of more than {REFUSED_LINE:,} bytes; is a quote never closed? Ask for it again"
            raise FileRefused(file.name, said, line=line)
        if kind not in _REASONS:
            raise FileRefused(file.name, "holds a line that can't be read as CSV", line=line)
    return tuple(Broken(line - int(header), _REASONS[kind], text) for line, kind, text in rejected)


def _set_long_lines_aside(
    wh: Warehouse, file: Inspected, name: str, record: str, columns: Sequence[str], broken: tuple[Broken, ...]
) -> tuple[str, tuple[Broken, ...]]:
    """Take records longer than LONGEST_LINE out of a raw table; return its numbering and what was broken."""
    if file.longest <= LONGEST_LINE:
        return record, broken
    size = " + ".join(f"coalesce(length({column}), 0)" for column in columns)
    long = [row[0] for row in wh.rows(f"SELECT {record} AS r FROM {name} WHERE {size} > {LONGEST_LINE} ORDER BY r")]
    if not long:
        return record, broken
    numbered = "*" if record == "_record" else f"*, {record} AS _record"
    wh.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {numbered} FROM {name} WHERE {size} <= {LONGEST_LINE}")
    aside = [Broken(number, "line_too_long", None) for number in long]
    return "_record", tuple(sorted((*broken, *aside), key=lambda line: line.record))


def literal_glob(path: Path) -> str:
    """A path as DuckDB's file pattern that matches that one name only."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))


def _refuse_cut_off(file: Inspected, rows: int, broken: tuple[Broken, ...]) -> None:
    if rows == 0 and not broken:
        return
    if not file.ends_whole and broken and broken[-1].record == rows + len(broken):
        raise FileRefused(file.name, "is cut off in its last line; ask for it again", line=file.lines)


def _number_records(wh: Warehouse, name: str, broken: tuple[Broken, ...]) -> str:
    """SQL that gives a raw row's record number: rows keep the order of the file, broken lines leave gaps."""
    if not broken:
        return "rowid + 1"
    wh.execute(
        f"CREATE OR REPLACE TABLE {name} AS WITH kept AS (SELECT r AS _record FROM "
        f"range(1, (SELECT count(*) FROM {name}) + {len(broken)} + 1) AS every(r) "
        "WHERE NOT list_contains(?, r) ORDER BY r) "
        f"SELECT raw.*, kept._record FROM {name} raw POSITIONAL JOIN kept",
        [[line.record for line in broken]],
    )
    return "_record"
