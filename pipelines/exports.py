"""The one way out: every file that leaves is formula-safe, written whole, 0600, and stamped."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from pipelines.settings import write_atomically

#: Stands on every page and in every file that shows flagged pairs (the words of the National Fraud Initiative).
NO_ASSUMPTION = (
    "No assumption can be made as to whether there is fraud, error or other explanation until an investigation is "
    "completed."
)
#: What a program may run, after whatever it may drop before reading: spaces, quotes, signs that have no width or shape.
_FORMULA = re.compile(r"[\s'\"]*[=+\-@]|\t|\r|\n")
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp"})
_LONGEST_CELL = 32_767  # characters that a workbook's cell holds


@dataclass(frozen=True)
class Stamp:
    """What a reader of the file must know: why it exists, which run made it, until when it may be kept, and which
    sources stood on an old extract."""

    purpose: str
    run_id: str
    expires: date
    notice: str = ""
    stands_on: Sequence[str] = ()

    def lines(self) -> list[str]:
        told = [f"Purpose: {self.purpose}", f"Run: {self.run_id}", f"Delete after: {self.expires.isoformat()}"]
        told += [f"Old extract: {words}" for words in self.stands_on]
        return told + ([self.notice] if self.notice else [])


def safe_cell(value: Any) -> Any:
    """Text that a spreadsheet could run as a formula is prefixed with an apostrophe (OWASP, CSV injection)."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, list | tuple):
        value = "; ".join(str(part) for part in value)
    text = value.isoformat() if isinstance(value, date) else str(value)
    return "'" + text if _FORMULA.match(text) or _FORMULA.match(_as_read(text)) else text


def _as_read(text: str) -> str:
    """The beginning of a text as a program may read it: without what can't be seen, wide signs as the plain ones."""
    if text.isascii() and text.isprintable():
        return text
    seen = "".join(sign for sign in text[:60] if unicodedata.category(sign) not in _UNSEEN)
    return unicodedata.normalize("NFKC", seen)


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A table as UTF-8 CSV, each cell safe in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe_cell(name) for name in columns])
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8")


def parquet_bytes(table: pl.DataFrame, stamp: Stamp) -> bytes:
    """A table as Parquet with the stamp in the file's own metadata; values keep their types: no program runs a cell."""
    out = io.BytesIO()
    table.write_parquet(out, compression="zstd", metadata={"stamp": "\n".join(stamp.lines())})
    return out.getvalue()


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], stamp: Stamp) -> int:
    """Write UTF-8 CSV with the stamp in a `<name>.stamp.txt` beside it; return the rows written."""
    listed = list(rows)
    write_atomically(path, csv_bytes(columns, listed))
    write_atomically(path.with_name(path.name + ".stamp.txt"), "\n".join(stamp.lines()).encode() + b"\n")
    return len(listed)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], stamp: Stamp, sheet: str) -> int:
    """Write a workbook where the name ends in .xlsx, else CSV; return the rows written."""
    if path.suffix.lower() == ".xlsx":
        return write_xlsx(path, columns, rows, stamp, sheet)
    return write_csv(path, columns, rows, stamp)


def write_xlsx(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]], stamp: Stamp, sheet: str) -> int:
    """Write a workbook: the table (frozen head, filter, wrapped text) and a sheet `About` with the stamp."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    body = book.add_format({"text_wrap": True, "valign": "top"})
    page = book.add_worksheet(sheet[:31])
    widths = [len(name) for name in columns]
    written = 0
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            cell = safe_cell(value)
            if isinstance(cell, Decimal):
                cell = float(cell)
            page.write(number, place, cell[:_LONGEST_CELL] if isinstance(cell, str) else cell, body)
            widths[place] = max(widths[place], min(len(str(cell)), 60))
        written += 1
    for place, name in enumerate(columns):
        page.write(0, place, safe_cell(name), head)
        page.set_column(place, place, widths[place] + 2)
    page.freeze_panes(1, 1)
    if columns:
        page.autofilter(0, 0, max(written, 1), len(columns) - 1)
    about = book.add_worksheet("About")
    about.set_column(0, 0, 110)
    for number, line in enumerate(stamp.lines()):
        about.write(number, 0, line, body)
    book.close()
    write_atomically(path, out.getvalue())
    return written
