"""Rows of one or several tables out of one XML document, in one pass.

A table's `rows` names its elements by their path from the root; a column's `path` is relative to such an element:
`Name/First`, `@id`, `Name/@lang`, `.` for its own text, `../Id` for a value of the element around it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipelines.faults import plural
from pipelines.sources.contracts import Table
from pipelines.sources.expat import XmlReader
from pipelines.sources.file_faults import CHUNK, FileRefused, Inspected
from pipelines.sources.thresholds import DEEPEST_XML, LONGEST_LINE

Path = tuple[str, ...]
Row = list[Any]
Emit = Callable[[Table, Row], None]
Fault = Callable[[Table, int, int, str], None]
_NAMES_KEPT = 1000  # kinds of unknown elements that are told apart
_OPEN = object()  # a value of an outer element that hasn't come yet


@dataclass(frozen=True)
class _Place:
    """Where a column's value stands: in an element that belongs to the row, or to one `depth` steps from the root."""

    table: int
    column: int
    depth: int


@dataclass(eq=False)
class _Found:
    """A table under way: the row that is open, and rows that wait for a value of an element around them."""

    table: Table
    path: Path
    outer: dict[int, int]  # column: depth of the element that its value belongs to
    row: Row | None = None
    line: int = 0
    size: int = 0
    records: int = 0
    fault: str | None = None
    around: dict[int, Any] = field(default_factory=dict)
    waiting: list[Row] = field(default_factory=list)


def read_xml(file: Inspected, encoding: str, tables: tuple[Table, ...], emit: Emit, fault: Fault) -> tuple[str, ...]:
    """Read a document once. `emit` gets each row (kept columns, record number, line), `fault` each row that can't be
    one (record, line, reason). Returns notes. Raises FileRefused."""
    reading = _Reading(file, encoding, tables, emit, fault)
    reading.xml.read(_chunks(file))
    return reading.notes()


def column_path(rows: str, path: str) -> tuple[Path, int]:
    """The path of a column from the root, and the depth of the element that the value belongs to.

    Raises ValueError when `..` leads out of the document.
    """
    base, parts = rows.split("/"), [part for part in path.split("/") if part != "."]
    while parts and parts[0] == "..":
        base, parts = base[:-1], parts[1:]
    if not base or ".." in parts or (parts and "@" in "".join(parts[:-1])):
        raise ValueError(path)
    return (*base, *parts), len(base)


class _Reading:
    def __init__(self, file: Inspected, encoding: str, tables: tuple[Table, ...], emit: Emit, fault: Fault) -> None:
        self.xml = XmlReader(file.name, encoding, (self._start, self._end, self._characters))
        self.emit, self.fault = emit, fault
        self.found: list[_Found] = []
        self.rows: dict[Path, list[_Found]] = defaultdict(list)
        self.values: dict[Path, list[_Place]] = defaultdict(list)
        self.closing: dict[Path, list[_Found]] = defaultdict(list)
        self.known: set[Path] = set()
        for number, table in enumerate(tables):
            self._expect(number, table)
        self.path: list[str] = []
        self.text: list[str] | None = None
        self.texts: list[list[str] | None] = []
        self.length = 0
        self.skipping = 0
        self.unknown: dict[Path, int] = {}

    def _expect(self, number: int, table: Table) -> None:
        assert table.rows
        path = tuple(table.rows.split("/"))
        found = _Found(table, path, {})
        for place, column in enumerate(table.columns):
            where, depth = column_path(table.rows, column.path or column.name)
            self.values[where].append(_Place(number, place, depth))
            self.known |= {where[:length] for length in range(1, len(where) + 1)}
            if depth < len(path):
                found.outer[place] = depth
                if found not in self.closing[path[:depth]]:
                    self.closing[path[:depth]].append(found)
        self.found.append(found)
        self.rows[path].append(found)
        self.known |= {path[:length] for length in range(1, len(path) + 1)}

    def _start(self, tag: str, given: dict[str, str]) -> None:
        if self.skipping:
            self.skipping += 1
            return
        self.path.append(tag)
        here = tuple(self.path)
        if here not in self.known:
            if len(here) == 1:
                raise self.xml.refused("its outermost element is not the contract's; is it another source's file?")
            if len(self.unknown) < _NAMES_KEPT:
                self.unknown.setdefault(here, self.xml.line)
            self.path.pop()
            self.skipping = 1
            return
        if len(here) > DEEPEST_XML:
            raise self.xml.refused("its elements are nested too deeply to be an extract")
        for found in self.rows.get(here, ()):
            found.row, found.line, found.size, found.fault = [None] * len(found.table.columns), self.xml.line, 0, None
            found.records += 1
        for found in self.closing.get(here, ()):
            for column, depth in found.outer.items():
                if depth == len(here):
                    found.around.pop(column, None)
        for name, value in given.items():
            name = name.rpartition(":")[2]
            if (*here, f"@{name}") in self.values:
                self._take((*here, f"@{name}"), value)
        self.texts.append(self.text)
        self.text = [] if here in self.values else None
        self.length = 0

    def _characters(self, text: str) -> None:
        if self.skipping or self.text is None:
            return
        self.length += len(text)
        if self.length <= LONGEST_LINE:
            self.text.append(text)

    def _end(self, tag: str) -> None:
        if self.skipping:
            self.skipping -= 1
            return
        here = tuple(self.path)
        if self.text is not None:
            if self.length > LONGEST_LINE:
                self._too_long(here)
            else:
                self._take(here, "".join(self.text).strip())
        self.text = self.texts.pop()
        self.length = 0 if self.text is None else sum(map(len, self.text))
        for found in self.rows.get(here, ()):
            self._close_row(found)
        for found in self.closing.get(here, ()):
            self._close_around(found, len(here))
        self.path.pop()

    def _take(self, where: Path, value: str) -> None:
        for place in self.values[where]:
            found = self.found[place.table]
            if not value:
                continue
            if place.column in found.outer:
                if place.column in found.around:
                    said = "stands more than once where its contract's `..` expects one; give it a table of its own"
                    raise self.xml.refused(said)
                found.around[place.column] = value
            elif found.row is not None:
                if found.row[place.column] is not None:
                    found.fault = found.fault or "element_repeated"
                found.row[place.column] = value
                found.size += len(value)

    def _too_long(self, where: Path) -> None:
        for place in self.values[where]:
            found = self.found[place.table]
            if place.column in found.outer or found.row is None:
                raise self.xml.refused(f"holds more than {LONGEST_LINE:,} characters in one value")
            found.fault = "line_too_long"

    def _close_row(self, found: _Found) -> None:
        row, found.row = found.row, None
        if row is None:
            return
        if found.size > LONGEST_LINE:
            found.fault = "line_too_long"
        if found.fault:
            self.fault(found.table, found.records, found.line, found.fault)
            return
        for column in found.outer:
            row[column] = found.around.get(column, _OPEN)
        row += [found.records, found.line]
        if any(row[column] is _OPEN for column in found.outer):
            found.waiting.append(row)
        else:
            self._give(found, row)

    def _close_around(self, found: _Found, depth: int) -> None:
        """An element around rows ends: what it didn't say by now is empty for the rows that wait."""
        columns = [column for column, at in found.outer.items() if at == depth]
        still: list[Row] = []
        for row in found.waiting:
            for column in columns:
                if row[column] is _OPEN:
                    row[column] = found.around.get(column)
            if any(row[column] is _OPEN for column in found.outer):
                still.append(row)
            else:
                self._give(found, row)
        found.waiting = still

    def _give(self, found: _Found, row: Row) -> None:
        kept = [value for column, value in zip(found.table.columns, row, strict=False) if column.keep]
        self.emit(found.table, [*kept, *row[-2:]])

    def notes(self) -> tuple[str, ...]:
        if not self.unknown:
            return ()
        first = min(self.unknown.values())
        said = f"{plural(len(self.unknown), 'kind')} of element that the contract doesn't name (first in line {first})"
        return (f"{self.xml.name}: {said}; read over, not kept",)


def _chunks(file: Inspected) -> Iterator[bytes]:
    try:
        with file.path.open("rb") as source:
            while chunk := source.read(CHUNK):
                yield chunk
    except OSError:
        raise FileRefused(file.name, "went away while it was read; ask for it again") from None
