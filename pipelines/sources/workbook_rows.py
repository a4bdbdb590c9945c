"""Rows out of a sheet of an .xlsx workbook, in one pass, as the text that a CSV export of it would hold.

A workbook is a ZIP of XML parts (ECMA-376). Only the parts asked for are unpacked, piece by piece and to a limit; no
formula is worked out: a cell gives the value that was last stored in it. Text in `sharedStrings` is held in memory.
"""

import math
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from pipelines.faults import plural
from pipelines.sources.contracts import Table
from pipelines.sources.expat import XmlReader
from pipelines.sources.file_faults import CHUNK, FileRefused, Inspected
from pipelines.sources.thresholds import EXPANSION_ALWAYS, EXPANSION_LIMIT, LONGEST_LINE

#: How a cell that is a date comes out.
DATES_OF_CELLS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
_DAMAGE = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError, zlib.error)
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # built in, ECMA-376 18.8.30
_NOT_CODE = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})$")


class Workbook:
    """An .xlsx file opened for reading. Raises FileRefused where it is damaged, protected or made to expand."""

    def __init__(self, file: Inspected) -> None:
        self.file = file
        try:
            self._zip = zipfile.ZipFile(file.path)
        except _DAMAGE:
            raise self._refused("is cut off, or no workbook at all; export it again as .xlsx") from None
        if any(entry.flag_bits & 1 for entry in self._zip.infolist()):
            raise self._refused("is protected with a password; save it without one")
        self._targets = self._relations()
        self._sheets: dict[str, str] = {}
        self._since = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook's dates have no timezone
        self._parse("xl/workbook.xml", self._workbook_part)
        self._texts: list[str] | None = None
        self._dates: list[bool] | None = None

    def close(self) -> None:
        self._zip.close()

    def rows(self, table: Table) -> Iterator[tuple[int, list[str | None], bool]]:
        """Each row that holds anything: its number in the sheet, its cells as text, whether one holds an error."""
        name = self._sheet(table.sheet)
        if self._texts is None:
            self._texts, self._dates = self._shared(), self._styles()
        sheet = _Sheet(self._texts, self._dates or [], self._since)
        xml = XmlReader(self.file.name, "utf-8", (sheet.start, sheet.end, sheet.characters))
        for chunk in self._unpacked(name):
            yield from sheet.taken(xml, [chunk], last=False)
        yield from sheet.taken(xml, [], last=True)

    def _sheet(self, asked: str | None) -> str:
        if asked is None:
            if len(self._sheets) != 1:
                said = f"has {len(self._sheets)} sheets, and the contract doesn't say which; state `sheet`"
                raise self._refused(said)
            return next(iter(self._sheets.values()))
        if asked not in self._sheets:
            said = f"has no sheet `{asked}` among its {plural(len(self._sheets), 'sheet')}"
            raise self._refused(f"{said}; correct the workbook, or the contract if the layout changed")
        return self._sheets[asked]

    def _refused(self, problem: str) -> FileRefused:
        return FileRefused(self.file.name, problem)

    def _unpacked(self, part: str) -> Iterator[bytes]:
        """The bytes of a part, to the limit of what an honest sheet expands to."""
        try:
            entry = self._zip.getinfo(part)
        except KeyError:
            raise self._refused("is a ZIP file, but no workbook; export it as .xlsx") from None
        allowed = max(EXPANSION_ALWAYS, EXPANSION_LIMIT * min(entry.compress_size, self.file.size))
        read = 0
        try:
            with self._zip.open(entry) as source:
                while chunk := source.read(CHUNK):
                    read += len(chunk)
                    if read > allowed:
                        said = f"expands to more than {EXPANSION_LIMIT} times its size; it is made to fill a disk"
                        raise self._refused(said)
                    yield chunk
        except _DAMAGE:
            raise self._refused("is damaged: a part of it can't be unpacked; ask for it again") from None

    def _parse(self, part: str, handle: Callable[[str, dict[str, str]], None]) -> None:
        nothing = lambda text: None  # noqa: E731
        XmlReader(self.file.name, "utf-8", (handle, nothing, nothing)).read(self._unpacked(part))

    def _relations(self) -> dict[str, str]:
        """Where the parts of the workbook stand, by relation id."""
        found: dict[str, str] = {}

        def relation(tag: str, given: dict[str, str]) -> None:
            if tag == "Relationship" and given.get("TargetMode") != "External":
                target = given.get("Target", "")
                found[given.get("Id", "")] = target[1:] if target.startswith("/") else f"xl/{target}"

        self._parse("xl/_rels/workbook.xml.rels", relation)
        return found

    def _workbook_part(self, tag: str, given: dict[str, str]) -> None:
        if tag == "workbookPr" and given.get("date1904") in ("1", "true"):
            self._since = datetime(1904, 1, 1)  # noqa: DTZ001
        if tag == "sheet":
            relation = next((value for name, value in given.items() if name.rpartition(":")[2] == "id"), "")
            self._sheets[given.get("name", "")] = self._targets.get(relation, "")

    def _shared(self) -> list[str]:
        """Texts that cells point at by number."""
        if "xl/sharedStrings.xml" not in self._zip.namelist():
            return []
        texts: list[str] = []
        part: list[str] = []
        state = {"inside": False, "phonetic": False}

        def start(tag: str, given: dict[str, str]) -> None:
            if tag == "si":
                part.clear()
            state["phonetic"] |= tag == "rPh"
            state["inside"] = tag == "t" and not state["phonetic"]

        def end(tag: str) -> None:
            if tag == "si":
                texts.append(_plain("".join(part)))
            state["inside"] = False
            state["phonetic"] &= tag != "rPh"

        def characters(text: str) -> None:
            if state["inside"]:
                part.append(text)

        xml = XmlReader(self.file.name, "utf-8", (start, end, characters))
        xml.read(self._unpacked("xl/sharedStrings.xml"))
        return texts

    def _styles(self) -> list[bool]:
        """Of each cell style, whether it shows its number as a date."""
        if "xl/styles.xml" not in self._zip.namelist():
            return []
        own: dict[int, bool] = {}
        styles: list[bool] = []
        within: list[str] = []

        def start(tag: str, given: dict[str, str]) -> None:
            within.append(tag)
            if tag == "numFmt":
                code = _NOT_CODE.sub("", given.get("formatCode", "")).lower()
                own[_number(given.get("numFmtId"))] = bool(re.search("[dmyhs]", code)) and code != "general"
            if tag == "xf" and "cellXfs" in within:
                number = _number(given.get("numFmtId"))
                styles.append(own.get(number, number in _DATE_FORMATS))

        def end(tag: str) -> None:
            within.pop()

        XmlReader(self.file.name, "utf-8", (start, end, lambda text: None)).read(self._unpacked("xl/styles.xml"))
        return styles


class _Sheet:
    """Follows the XML of a sheet and gives its rows."""

    def __init__(self, texts: list[str], dates: list[bool], since: datetime) -> None:
        self.texts, self.dates, self.since = texts, dates, since
        self.number, self.column, self.size = 0, -1, 0
        self.cells: list[str | None] = []
        self.wrong = False
        self.kind, self.style = "n", 0
        self.part: list[str] = []
        self.inside = self.phonetic = False
        self.done: list[tuple[int, list[str | None], bool]] = []

    def taken(self, xml: XmlReader, chunks: list[bytes], last: bool) -> list[tuple[int, list[str | None], bool]]:
        """Rows that are whole after these bytes."""
        xml.feed(chunks, last)
        done, self.done = self.done, []
        return done

    def start(self, tag: str, given: dict[str, str]) -> None:
        if tag == "row":
            self.number = _number(given.get("r")) or self.number + 1
            self.cells, self.column, self.wrong, self.size = [], -1, False, 0
        elif tag == "c":
            place = _REFERENCE.match(given.get("r", ""))
            self.column = _column(place.group(1)) if place else self.column + 1
            self.kind, self.style = given.get("t", "n"), _number(given.get("s"))
            self.part = []
        elif tag == "rPh":
            self.phonetic = True
        self.inside = tag == "v" or (tag == "t" and not self.phonetic)

    def characters(self, text: str) -> None:
        if self.inside and self.size <= LONGEST_LINE:
            self.part.append(text)
            self.size += len(text)

    def end(self, tag: str) -> None:
        self.inside = False
        if tag == "rPh":
            self.phonetic = False
        elif tag == "c":
            value = self._value("".join(self.part)) if self.part else None
            if value is not None and self.column >= 0:
                self.cells += [None] * (self.column + 1 - len(self.cells))
                self.cells[self.column] = value
            self.part = []
        elif tag == "row" and any(cell is not None for cell in self.cells):
            self.done.append((self.number, self.cells, self.wrong or self.size > LONGEST_LINE))

    def _value(self, text: str) -> str | None:
        """A cell's stored value as text: what a CSV export would show, numbers to the 15 digits that a sheet holds."""
        if self.kind == "s":
            at = _number(text, -1)
            if not 0 <= at < len(self.texts):
                self.wrong = True
                return None
            return self.texts[at]
        if self.kind in ("str", "inlineStr"):
            return _plain(text)
        if self.kind == "b":
            return "TRUE" if text.strip() == "1" else "FALSE"
        if self.kind == "e":
            self.wrong = True
            return None
        if self.kind == "d":
            return text.strip().removesuffix("T00:00:00").removesuffix("T00:00:00.000")
        try:
            number = float(text)
        except ValueError:
            self.wrong = True
            return None
        dated = self.style < len(self.dates) and self.dates[self.style]
        return self._moment(number) if dated else _digits(number)

    def _moment(self, serial: float) -> str:
        """A date as YYYY-MM-DD, with its time where it has one. A sheet counts a 29 February 1900 that never was."""
        if not math.isfinite(serial) or not 0 <= serial < 2_958_466:
            self.wrong = True
            return ""
        if self.since.year == 1899 and serial < 60:
            serial += 1
        moment = self.since + timedelta(seconds=round(serial * 86_400))
        return moment.date().isoformat() if serial == int(serial) else moment.isoformat(sep=" ")


def _digits(number: float) -> str:
    if not math.isfinite(number):
        return ""
    shown = f"{number:.15g}"
    return f"{Decimal(shown):f}" if "e" in shown else shown


@lru_cache(maxsize=1024)
def _column(letters: str) -> int:
    """Place of a column from 0: A, B, ..., Z, AA, ..."""
    at = 0
    for letter in letters:
        at = at * 26 + ord(letter) - 64
    return at - 1


def _number(text: str | None, otherwise: int = 0) -> int:
    return int(text) if text and text.strip().isascii() and text.strip().isdigit() else otherwise


def _plain(text: str) -> str:
    """Text with the escapes of control characters undone (_x000D_)."""
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text) if "_x" in text else text
