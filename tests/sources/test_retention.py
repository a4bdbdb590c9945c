"""What a source's retention ended goes everywhere; what is still shown stays; numbers given in a slot stay given."""

from datetime import date
from pathlib import Path

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import take_in
from pipelines.sources.retention import due, left_over, sweep
from pipelines.sources.slots import latest
from pipelines.warehouse import Warehouse
from tests.sources.library import LOANS, both, deliver

HEAD = "Card No,name,born,visits\n"
OLD, OLDER, NEW = date(2025, 10, 31), date(2025, 9, 30), date(2026, 10, 31)
STAGED = "identity.staged.library__borrower"


def apply(wh: Warehouse, library: Contract, archive: Archive) -> None:
    found = due(wh, library, archive)
    sweep(wh, library, found)
    for sha256 in found.files:
        archive.remove(sha256)


def people(wh: Warehouse, library: Contract) -> list[tuple[object, ...]]:
    name = latest(wh, library, library.table("borrower"))
    return wh.rows(f"SELECT record_id, name FROM {name} WHERE name IS NOT NULL ORDER BY record_id")


def test_what_has_ended_goes_and_the_rest_stays(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    deliver(landing, both(HEAD + "1,GONE CANARY,,0\n2,STAYS CANARY,,0\n,NO KEY CANARY,,1\n"), OLD)
    deliver(landing, both(HEAD + "2,STAYS CANARY,,0\n3,NEW CANARY,,0\n"), NEW)
    take_in(wh, library, landing, archive)
    found = due(wh, library, archive)
    assert (found.before, found.deliveries, found.rows, found.faults) == (date(2025, 11, 30), (1,), 1, 1)
    assert len(found.files) == 1  # loan.csv is the same file in the extract that stays
    apply(wh, library, archive)
    assert wh.rows(f"SELECT card, valid_from, valid_to FROM {STAGED} ORDER BY card") == [
        ("2", NEW, None),
        ("3", NEW, None),
    ]
    assert not left_over(wh, [library], archive)
    assert not wh.rows("SELECT 1 FROM identity.staged.fault")
    assert len(list(archive.folder.iterdir())) == 2
    assert wh.rows("SELECT DISTINCT extract_date, state FROM identity.meta.intake ORDER BY 1") == [
        (OLD, "expired"),
        (NEW, "accepted"),
    ]
    for table in ("library__borrower", "library__borrower__withdrawn", "library__loan", "fault"):
        held = wh.rows(f"SELECT t::VARCHAR FROM identity.staged.{table} t")
        assert not any("GONE CANARY" in row[0] or "NO KEY" in row[0] for row in held), table


def test_last_extract_goes_too(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    deliver(landing, both(), OLD)
    take_in(wh, library, landing, archive)
    apply(wh, library, archive)
    assert not wh.exists(STAGED)
    assert list(archive.folder.iterdir()) == []
    deliver(landing, both(HEAD + "1,SOMEBODY ELSE,,0\n"), NEW)
    take_in(wh, library, landing, archive)
    assert people(wh, library) == [("library:1#2", "SOMEBODY ELSE")]


def test_numbers_given_in_a_slot_stay_given(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    deliver(landing, both(HEAD + "7,JOHN SMITH,,0\n8,OLA BANK,,0\n9,WEI CHEN,,0\n", LOANS), OLDER)
    deliver(landing, both(HEAD + "7,PRIYA NAIR,,0\n8,ANN WHITE,,0\n9,ZOE PRICE,,0\n"), OLD)
    deliver(landing, both(HEAD + "7,SMITH JOHN,,0\n8,ANN WHITE,,0\n9,ADA KING,,0\n"), NEW)
    take_in(wh, library, landing, archive)
    before = people(wh, library)
    assert [record for record, name in before if name in ("SMITH JOHN", "ANN WHITE", "ADA KING")] == [
        "library:7#1",
        "library:8#2",
        "library:9#3",
    ]
    for _ in range(2):  # a second sweep changes nothing
        apply(wh, library, archive)
        assert people(wh, library) == [
            ("library:7#1", "SMITH JOHN"),
            ("library:8#2", "ANN WHITE"),
            ("library:9#3", "ADA KING"),
        ]
    deliver(landing, both(HEAD + "7,NEXT ONE,,0\n8,NEXT ONE,,0\n9,NEXT ONE,,0\n"), date(2026, 11, 20))
    take_in(wh, library, landing, archive)
    assert [record for record, name in people(wh, library) if name == "NEXT ONE"] == [
        "library:7#3",
        "library:8#3",
        "library:9#4",
    ]
