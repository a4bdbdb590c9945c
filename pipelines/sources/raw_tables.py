"""A file's table as it was read: all text, before any type; and which column of the file is which."""

from dataclasses import dataclass

from pipelines.sources.contracts import Table
from pipelines.sources.drift import Drift, LayoutRefused, drift_of, in_short
from pipelines.sources.file_faults import Inspected


@dataclass(frozen=True)
class Broken:
    """A line that doesn't parse into the table's columns; `record` counts data records from 1.

    `text` is the line where the format has lines of its own; `line` its number where the reader knows it.
    """

    record: int
    reason: str
    text: str | None
    line: int | None = None


@dataclass(frozen=True)
class RawTable:
    """A table as text: its name in memory, how to number its records, and the lines left out.

    `line` names the column that holds each row's line in the file, where the reader knows it.
    """

    table: Table
    file: Inspected
    name: str
    record: str
    rows: int
    broken: tuple[Broken, ...]
    notes: tuple[str, ...] = ()
    line: str | None = None
    drift: tuple[Drift, ...] = ()


def columns_in_order(table: Table, file: Inspected, header: list[str], line: int = 1) -> tuple[list[str], list[Drift]]:
    """Staged names in the order of the file, and whether that is another than the contract's.

    Raises LayoutRefused unless the header holds the contract's columns.
    """
    staged = {column.name: column.staged for column in table.in_file}
    drift = drift_of(table, header)
    if all(each.kind == "columns_moved" for each in drift):
        return [staged[name] for name in header], drift
    advice = "correct the extract, or the contract if the layout changed"
    raise LayoutRefused(file.name, f"{in_short(drift)}; {advice}", line, table, drift)
