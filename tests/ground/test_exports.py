import csv
import io
import stat
import zipfile
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from pipelines.exports import Stamp, parquet_bytes, safe_cell, write_csv, write_table, write_xlsx

STAMP = Stamp("fraud", "run-1", date(2027, 1, 31), "No assumption can be made.")
HOSTILE = ["=1+1", "+44 1702", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", " =1", '"=1', "'=1", "\n=1"]
HOSTILE += ["＝1+1", "＠SUM(A1)", "\u00a0=1", "\ufeff=1", "\u200b=1", "\x0b=1", "\x00=1", "\u3000＝1", "﹦1", '"＝1']


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula(text):
    assert safe_cell(text).startswith("'")


@pytest.mark.parametrize("value", ["O'Brien", "12-14 High Street", "a=b", "", "5"])
def test_plain_text_stays(value):
    assert safe_cell(value) == value


@pytest.mark.parametrize("value", [-5, -5.5, Decimal("-5.50")])
def test_numbers_stay_numbers(value):
    assert safe_cell(value) == value


def test_csv_is_private_stamped_and_safe(tmp_path):
    path = tmp_path / "out.csv"
    assert write_csv(
        path, ["name", "when", "list"], [[text, date(2026, 1, 2), ["a", "b"]] for text in HOSTILE], STAMP
    ) == len(HOSTILE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))
    assert rows[0] == ["name", "when", "list"]
    assert all(row[0].startswith("'") and row[1:] == ["2026-01-02", "a; b"] for row in rows[1:])
    assert "Delete after: 2027-01-31" in (tmp_path / "out.csv.stamp.txt").read_text()


def test_xlsx_has_no_formula_and_says_what_it_is(tmp_path):
    path = tmp_path / "out.xlsx"
    assert write_xlsx(path, ["name", "amount"], [[text, Decimal("1.50")] for text in HOSTILE], STAMP, "Pairs") == len(
        HOSTILE
    )
    with zipfile.ZipFile(path) as book:
        pages = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/")]
        words = book.read("xl/sharedStrings.xml").decode()
    assert not any("<f>" in page for page in pages)
    assert "Purpose: fraud" in words
    assert "No assumption can be made." in words


def test_a_cell_too_long_for_a_workbook_is_cut_not_lost(tmp_path):
    write_xlsx(tmp_path / "out.xlsx", ["name"], [["x" * 40_000]], STAMP, "Pairs")
    with zipfile.ZipFile(tmp_path / "out.xlsx") as book:
        assert "x" * 32_767 in book.read("xl/sharedStrings.xml").decode()


@pytest.mark.parametrize(
    ("name", "begins"), [("a.csv", b"name"), ("A.CSV", b"name"), ("a.xlsx", b"PK"), ("A.XLSX", b"PK")]
)
def test_a_table_is_what_its_name_ends_in(tmp_path, name, begins):
    write_table(tmp_path / name, ["name"], [["Ann"]], STAMP, "Pairs")
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.csv"
    write_csv(path, ["a"], [["old"]], STAMP)

    def rows():
        yield ["new"]
        raise OSError("disk full")

    with pytest.raises(OSError):
        write_csv(path, ["a"], rows(), STAMP)
    assert "old" in path.read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "out.csv.stamp.txt"]


def test_parquet_keeps_types_and_carries_its_stamp():
    content = io.BytesIO(parquet_bytes(pl.DataFrame({"name": ["=1+1"], "tags": [["a", "b"]]}), STAMP))
    assert pl.read_parquet(content).rows() == [("=1+1", ["a", "b"])]
    assert pl.read_parquet_metadata(content)["stamp"].splitlines() == STAMP.lines()
