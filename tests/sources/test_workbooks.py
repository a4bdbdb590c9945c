"""Workbooks: sheets read as their CSV export would be, dates and long numbers included; nothing that expands."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from pipelines.sources.contract_files import load_contract
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import take_in
from pipelines.warehouse import Warehouse
from tests.sources.library import CONTRACT, DAY, deliver

SHEETS = CONTRACT.replace(
    "file: borrower.csv", "file: library.xlsx\n    format: xlsx\n    sheet: Cards\n    header_row: 3"
)
SHEETS = SHEETS.replace("file: loan.csv", "file: library.xlsx\n    format: xlsx\n    sheet: Loans")
HEAD = ["Card No", "name", "born", "visits"]
ROWS: list[list[Any]] = [[1, "ANNE", date(1980, 2, 1), 3], ["0002", "BÉN", "31/12/1999", 0.0]]
LOANS: list[list[Any]] = [["loan", "card", "since"], [123456789012, 1, date(2026, 10, 1)]]


@pytest.fixture
def library(tmp_path: Path) -> Contract:
    home = tmp_path / "sources" / "library"
    home.mkdir(parents=True)
    (home / "contract.yaml").write_text(SHEETS)
    return load_contract(home / "contract.yaml")


def book(cards: list[list[Any]], loans: list[list[Any]] = LOANS, cards_called: str = "Cards") -> bytes:
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True})
    dated = made.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in ((cards_called, [["Cards held"], [], *cards]), ("Loans", loans)):
        sheet = made.add_worksheet(name)
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(at, column, value, dated)
                elif callable(value):
                    value(sheet, at, column)
                else:
                    sheet.write(at, column, value)
    made.close()
    return out.getvalue()


def take(wh: Warehouse, library: Contract, landing: Path, content: bytes, rows: int = 3) -> tuple[str, str]:
    deliver(landing, {"library.xlsx": content}, DAY, rows={"library.xlsx": rows})
    found = take_in(wh, library, landing, None)[0]
    return found.state, found.reason or ""


def test_cells_come_as_a_csv_export_shows_them(wh: Warehouse, library: Contract, landing: Path) -> None:
    swapped = [[row[1], row[0], *row[2:]] for row in [HEAD, *ROWS]]
    assert take(wh, library, landing, book(swapped)) == ("accepted", "")
    assert wh.rows("SELECT card, name, born, visits FROM identity.staged.library__borrower ORDER BY name") == [
        ("1", "ANNE", date(1980, 2, 1), 3),
        ("0002", "BÉN", date(1999, 12, 31), 0),
    ]
    assert wh.rows("SELECT loan, card, since FROM identity.staged.library__loan") == [
        ("123456789012", "1", date(2026, 10, 1))
    ]


def test_rows_at_fault_have_their_row_in_the_sheet(wh: Warehouse, library: Contract, landing: Path) -> None:
    def broken(sheet: Any, row: int, column: int) -> None:
        sheet.write_formula(row, column, "=1/0", None, "#DIV/0!")

    def worked_out(sheet: Any, row: int, column: int) -> None:
        sheet.write_formula(row, column, "=2+2", None, 4)

    rows = [*ROWS, [], [3, "CAT", None, worked_out], [4, broken, None, 1], [5, "EVE", None, 1, "more"], [1, "AGAIN"]]
    assert take(wh, library, landing, book([HEAD, *rows]), 7) == ("accepted", "")
    assert wh.rows("SELECT line, reason FROM identity.staged.fault ORDER BY line") == [
        (8, "cell_with_error"),
        (9, "too_many_fields"),
        (10, "key_repeated"),
    ]
    assert wh.scalar("SELECT visits FROM identity.staged.library__borrower WHERE card = '3'") == 4


def repacked(content: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The workbook with its parts changed; a part of which `change` makes None is left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = change(name, old.read(name))
            if part is not None:
                new.writestr(name, part)
    return out.getvalue()


def bomb(name: str, part: bytes) -> bytes:
    return part.replace(b"<sheetData>", b"<sheetData>" + b" " * 40_000_000) if name.endswith("sheet1.xml") else part


def entity(name: str, part: bytes) -> bytes:
    declared = b'<!DOCTYPE sst [<!ENTITY a "CANARY">]>'
    return part.replace(b"?>", b"?>" + declared, 1) if name.endswith("sharedStrings.xml") else part


def locked(content: bytes) -> bytes:
    """The mark of encryption on every part, as ZIP tools with a password leave it."""
    return re.sub(rb"(PK\x01\x02.{4}).", lambda found: found.group(1) + b"\x01", content, flags=re.DOTALL)


GOOD = book([HEAD, *ROWS])
SPOILT = {
    "made to expand": (repacked(GOOD, bomb), "expands to more than"),
    "entities": (repacked(GOOD, entity), "document type"),
    "password": (b"\xd0\xcf\x11\xe0CANARY", "password-protected"),
    "ZIP with a password": (locked(repacked(GOOD, lambda name, part: part)), "password"),
    "CSV": (b"Card No,name\n1,CANARY\n", "is no .xlsx workbook"),
    "cut off": (GOOD[: len(GOOD) // 2], "cut off"),
    "a ZIP of something else": (repacked(GOOD, lambda name, part: None if "workbook" in name else part), "no workbook"),
    "damaged inside": (repacked(GOOD, lambda n, part: part[:-20] if "sheet1" in n else part), "cut off"),
    "sheet renamed": (book([HEAD, *ROWS], cards_called="CANARY"), "has no sheet `Cards` among its 2 sheets"),
    "column gone": (book([HEAD[:3], *[row[:3] for row in ROWS]]), "line 3: lacks the column visits"),
    "names a row too low": (book([[], HEAD, *ROWS]), "nothing in row 3"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_spoilt_workbook_is_refused(wh: Warehouse, library: Contract, landing: Path, kind: str) -> None:
    content, says = SPOILT[kind]
    state, reason = take(wh, library, landing, content)
    assert state == "refused"
    assert says in reason and "library.xlsx" in reason
    assert "CANARY" not in reason
    assert not wh.exists("identity.staged.library__borrower")
