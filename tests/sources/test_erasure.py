"""Whoever is erased is in no table and no archived file, does not come back, and nobody else is touched."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract
from pipelines.sources.erasure import erase, erase_archived
from pipelines.sources.intake import take_in
from pipelines.sources.slots import latest
from pipelines.warehouse import Warehouse
from tests.sources.library import deliver

HEAD, KEY = "Card No,name,born,visits\n", b"s" * 32
FIRST, SECOND, THIRD = date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31)
GONE = "1,GONE CANARY,01/02/1980,3\n"
LOANS = "loan,card,since\nL1CANARY,1,01/10/2026\nL2,2,01/10/2026\n"


def extract(borrowers: str, loans: str = LOANS) -> dict[str, bytes | str]:
    return {"borrower.csv": HEAD + borrowers, "loan.csv": loans}


def traces(wh: Warehouse, archive: Archive) -> list[str]:
    """Every table and archived file in which the person stands."""
    tables = wh.rows(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'identity' ORDER BY 1"
    )
    found = [
        name
        for (name,) in tables
        if any("CANARY" in row[0] for row in wh.rows(f"SELECT t::VARCHAR FROM identity.{name} t"))
    ]
    return found + [p.name for p in archive.folder.iterdir() if b"CANARY" in b"".join(archive.read(p.name))]


def people(wh: Warehouse, library: Contract) -> list[tuple[object, ...]]:
    wh.execute("DROP SCHEMA IF EXISTS memory.latest CASCADE")
    return wh.rows(f"SELECT record_id, name FROM {latest(wh, library, library.table('borrower'))} ORDER BY 1")


@pytest.fixture
def erased(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> list[tuple[object, ...]]:
    """Two extracts came in, and the borrower of card 1 was erased; the others as they were before."""
    deliver(landing, extract(GONE + "2,STAYS,,0\n"), FIRST)
    deliver(landing, extract(GONE.replace("3\n", "4\n") + "2,STAYS,,0\n3,NEW,,0\n"), SECOND)
    take_in(wh, library, landing, archive, suppression=KEY)
    before = [row for row in people(wh, library) if row[0] != "library:1#1"]
    assert traces(wh, archive)
    done = erase(wh, library, ["library:1#1", "other:1#1"], KEY)
    assert done.rows == {"borrower": 2, "loan": 1}
    assert erase_archived(wh, library, archive, done) == (3, 0)  # loan.csv came twice with the same bytes
    return before


def test_no_trace_is_left_and_nobody_else_is_touched(
    wh: Warehouse, library: Contract, archive: Archive, erased: list[tuple[object, ...]]
) -> None:
    assert traces(wh, archive) == []
    assert people(wh, library) == erased
    held = wh.rows("SELECT t::VARCHAR FROM identity.meta.suppressed t")
    assert len(held) == 3 - 1 and all("CANARY" not in row[0] and "1980" not in row[0] for row in held)


def test_the_same_extracts_do_not_bring_the_person_back(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, erased: list[tuple[object, ...]]
) -> None:
    deliver(landing, extract(GONE + "2,STAYS,,0\n3,NEW,,0\n"), THIRD)
    (done,) = [each for each in take_in(wh, library, landing, archive, suppression=KEY) if each.extract_date == THIRD]
    assert done.state == "accepted" and done.rows == {"borrower": 2, "loan": 1}
    assert traces(wh, archive) == []
    assert [row[0] for row in people(wh, library)] == ["library:2#1", "library:3#1"]


def test_the_next_holder_of_the_slot_comes_in(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, erased: list[tuple[object, ...]]
) -> None:
    deliver(landing, extract("1,SOMEBODY ELSE,05/05/1970,1\n2,STAYS,,0\n"), THIRD)
    take_in(wh, library, landing, archive, suppression=KEY)
    assert "SOMEBODY ELSE" in {row[1] for row in people(wh, library)}


def test_another_key_suppresses_nobody(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, erased: list[tuple[object, ...]]
) -> None:
    deliver(landing, extract(GONE), THIRD)
    take_in(wh, library, landing, archive, suppression=b"o" * 32)
    assert traces(wh, archive)
