"""Reads XML and workbooks into raw tables in memory, in batches, as `reading` does with CSV."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pipelines.sources.contracts import Contract, Table
from pipelines.sources.drift import Drift
from pipelines.sources.file_faults import FileRefused, Inspected
from pipelines.sources.raw_tables import Broken, RawTable, columns_in_order
from pipelines.sources.thresholds import LONGEST_LINE
from pipelines.sources.workbook_rows import Workbook
from pipelines.sources.xml_rows import read_xml
from pipelines.warehouse import Warehouse

_BATCH = 20_000
_NUMBERS = ("_record", "_line")


class _Filling:
    """A raw table that grows by batches; `_record` numbers its rows, `_line` says where each stands in the file."""

    def __init__(self, wh: Warehouse, contract: Contract, table: Table) -> None:
        self.wh, self.table = wh, table
        self.name = f"memory.incoming.raw__{contract.name}__{table.name}"
        self.rows: list[Sequence[Any]] = []
        self.broken: list[Broken] = []
        self.count = 0
        texts = ", ".join(f"{staged} VARCHAR" for staged in table.staged_columns)
        wh.execute("CREATE SCHEMA IF NOT EXISTS memory.incoming")
        wh.execute(f"CREATE OR REPLACE TABLE {self.name} ({texts}, _record BIGINT, _line BIGINT)")
        self.schema = pa.schema(
            [(staged, pa.string()) for staged in table.staged_columns] + [(name, pa.int64()) for name in _NUMBERS]
        )

    def add(self, row: Sequence[Any]) -> None:
        self.rows.append(row)
        if len(self.rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        if not self.rows:
            return
        values = zip(*self.rows, strict=True)
        columns = [pa.array(each, kind) for each, kind in zip(values, self.schema.types, strict=True)]
        self.wh.con.register("intake_batch", pa.table(columns, schema=self.schema))
        try:
            self.wh.execute(f"INSERT INTO {self.name} SELECT * FROM intake_batch")
        finally:
            self.wh.con.unregister("intake_batch")
        self.count, self.rows = self.count + len(self.rows), []

    def raw(self, file: Inspected, notes: tuple[str, ...] = (), drift: Sequence[Drift] = ()) -> RawTable:
        self.flush()
        broken = tuple(self.broken)
        return RawTable(self.table, file, self.name, "_record", self.count, broken, notes, "_line", tuple(drift))


def read_xml_file(wh: Warehouse, contract: Contract, file: Inspected, tables: Sequence[Table]) -> list[RawTable]:
    """The raw tables of an XML file. Raises FileRefused."""
    filling = {table.name: _Filling(wh, contract, table) for table in tables}

    def fault(table: Table, record: int, line: int, reason: str) -> None:
        filling[table.name].broken.append(Broken(record, reason, None, line))

    notes = read_xml(file, contract.encoding, tuple(tables), lambda table, row: filling[table.name].add(row), fault)
    return [filling[table.name].raw(file, notes if table is tables[0] else ()) for table in tables]


def read_workbook(wh: Warehouse, contract: Contract, file: Inspected, tables: Sequence[Table]) -> list[RawTable]:
    """The raw tables of a workbook, a sheet each. Raises FileRefused."""
    book = Workbook(file)
    try:
        return [_read_sheet(wh, contract, file, table, book) for table in tables]
    finally:
        book.close()


def _read_sheet(wh: Warehouse, contract: Contract, file: Inspected, table: Table, book: Workbook) -> RawTable:
    rows = book.rows(table)
    head: list[str] = []
    number = 0
    for number, cells, _ in rows:
        if number >= table.header_row:
            head = [(cell or "").strip() for cell in cells]
            break
    if number != table.header_row:
        said = f"has nothing in row {table.header_row}, where its contract looks for the column names"
        raise FileRefused(file.name, f"{said}; correct one of them")
    order, drift = columns_in_order(table, file, head, line=number)
    place = {staged: at for at, staged in enumerate(order)}
    places = [place.get(staged) for staged in table.staged_columns]
    filling = _Filling(wh, contract, table)
    for record, (line, cells, wrong) in enumerate(rows, 1):
        if any(cell is not None for cell in cells[len(order) :]):
            filling.broken.append(Broken(record, "too_many_fields", None, line))
        elif sum(len(cell) for cell in cells if cell) > LONGEST_LINE:
            filling.broken.append(Broken(record, "line_too_long", None, line))
        elif wrong:
            filling.broken.append(Broken(record, "cell_with_error", None, line))
        else:
            padded = [*cells, *[None] * (len(order) - len(cells))]
            filling.add([*(str(record) if at is None else padded[at] for at in places), record, line])
    moved = f"{file.name}: the columns stand in another order than in the contract; read by name"
    return filling.raw(file, (moved,) if drift else (), drift)
