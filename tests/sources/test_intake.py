# ruff: noqa: E501
"""What comes in, what is set aside, what is remembered."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.sources.archive import Archive, ArchiveError
from pipelines.sources.contracts import Contract, LeaveOut
from pipelines.sources.intake import Candidate, Verdict, consumed_files, take_in
from pipelines.warehouse import Warehouse
from tests.sources.library import BORROWERS, CONTRACT, DAY, both, deliver, make_contract

STAGED = "identity.staged.library__borrower"
FAULTS = "SELECT line, column_name, reason, kind FROM identity.staged.fault ORDER BY line, column_name"


def test_good_delivery_comes_in_typed_and_dated(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    deliver(landing, both())
    found = take_in(wh, library, landing, archive)
    assert [(intake.state, intake.rows) for intake in found] == [("accepted", {"borrower": 2, "loan": 1})]
    assert wh.rows(f"SELECT card, name, born, visits, extract_date, valid_from, valid_to, loaded_run FROM {STAGED} ORDER BY card") == [
        ("1", "ANNE CANARY", date(1980, 2, 1), 3, DAY, DAY, None, "scratch"),
        ("2", "BEN CANARY", date(1999, 12, 31), 0, DAY, DAY, None, "scratch"),
    ]  # fmt: skip
    recorded = wh.rows(
        "SELECT file, rows, set_aside, state, length(sha256), synthetic FROM identity.meta.intake ORDER BY file"
    )
    assert recorded == [("borrower.csv", 2, 0, "accepted", 64, True), ("loan.csv", 1, 0, "accepted", 64, True)]


def test_same_delivery_again_is_skipped(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    deliver(landing, both())
    take_in(wh, library, landing, archive)
    assert [intake.state for intake in take_in(wh, library, landing, archive)] == ["skipped"]
    deliver(landing, both(), suffix=".2")
    assert [intake.state for intake in take_in(wh, library, landing, archive)] == ["skipped", "skipped"]
    assert wh.scalar("SELECT count(*) FROM identity.meta.intake") == 2


def test_without_a_manifest_if_the_contract_says_so(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    deliver(landing, both(), manifest=False)
    plain = library.model_copy(update={"control": "none"})
    assert [intake.state for intake in take_in(wh, plain, landing, archive)] == ["accepted"]


def test_columns_in_another_order_and_a_byte_order_mark(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    text = '﻿visits,born,"Card No",name\n3,01/02/1980,1,"CANARY, ANNE"\n'
    deliver(landing, both(text))
    found = take_in(wh, library, landing, archive)[0]
    assert found.state == "accepted"
    assert any("another order" in note for note in found.notes)
    assert wh.rows(f"SELECT card, name, visits FROM {STAGED}") == [("1", "CANARY, ANNE", 3)]


def test_rows_and_values_are_set_aside_with_their_line(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    rows = ['1,"ANNE\nCANARY",31/02/1980,3', ",NO KEY,,1", "2,BEN,,x", "3,TOO,FEW", "4,ONE,,1,MANY", "1,AGAIN,,1"]
    rows += [f"{number},GOOD {number},,1" for number in range(10, 400)]
    deliver(
        landing,
        both("Card No,name,born,visits\n" + "\n".join(rows) + "\n"),
        rows={"borrower.csv": len(rows), "loan.csv": 1},
    )
    found = take_in(wh, library, landing, archive)[0]
    assert (found.state, found.set_aside, found.value_faults) == ("accepted", 4, 2)
    assert wh.rows(FAULTS) == [
        (2, "born", "not_a_date", "value"),
        (4, "card", "missing_or_unreadable", "row"),
        (5, "visits", "not_a_number", "value"),
        (6, None, "too_few_fields", "row"),
        (7, None, "too_many_fields", "row"),
        (8, "card", "key_repeated", "row"),
    ]
    assert wh.rows(f"SELECT name, born FROM {STAGED} WHERE card = '1'") == [("ANNE\nCANARY", None)]
    assert wh.scalar(f"SELECT count(*) FROM {STAGED}") == len(rows) - 4
    kept = wh.scalar("SELECT row_text FROM identity.staged.fault WHERE reason = 'missing_or_unreadable'")
    assert "NO KEY" in kept


def test_field_of_a_million_characters_loses_no_other_row(wh: Warehouse, library: Contract, landing: Path) -> None:
    rows = "".join(f"{card},{'X' * (1_000_000 if 2 < card < 8 else 5)},,1\n" for card in range(1, 12))
    deliver(landing, both("Card No,name,born,visits\n" + rows))
    found = take_in(wh, library, landing, None)[0]
    assert (found.state, found.rows, found.set_aside) == ("accepted", {"borrower": 6, "loan": 1}, 5)
    assert wh.rows(FAULTS) == [(line, None, "line_too_long", "row") for line in range(4, 9)]
    assert wh.scalar(f"SELECT list(card ORDER BY card::INT) FROM {STAGED}") == ["1", "2", "8", "9", "10", "11"]


def test_rows_left_out_leave_nothing(wh: Warehouse, library: Contract, landing: Path) -> None:
    rule = LeaveOut(column="visits", value="0", why="not wanted")
    borrower = library.table("borrower").model_copy(update={"leave_out": rule})
    text = library.table("borrower").column("visits").model_copy(update={"type": "text"})
    borrower = borrower.model_copy(update={"columns": (*borrower.columns[:3], text)})
    deliver(landing, both())
    found = take_in(wh, library.model_copy(update={"tables": (borrower, library.table("loan"))}), landing, None)[0]
    assert found.rows == {"borrower": 1, "loan": 1}
    assert found.set_aside == 0
    assert wh.rows(f"SELECT card FROM {STAGED}") == [("1",)]
    assert not wh.rows("SELECT 1 FROM identity.staged.fault")


def test_gate_sees_typed_candidates_and_the_last_rows(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    seen: list[tuple[dict[str, int | None], int]] = []

    def gate(candidate: Candidate) -> Verdict:
        total = wh.scalar(f"SELECT sum(visits) FROM {candidate.tables['borrower'].name}")
        seen.append((dict(candidate.previous), total))
        return Verdict(True)

    deliver(landing, both())
    deliver(landing, both(BORROWERS + "3,CAT,,10\n"), date(2026, 11, 30))
    take_in(wh, library, landing, archive, gate)
    assert seen == [({"borrower": None, "loan": None}, 3), ({"borrower": 2, "loan": 1}, 13)]


def test_failure_in_mid_promotion_changes_nothing(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.sources import intake

    def fails(*given: object) -> int:
        raise KeyboardInterrupt

    deliver(landing, both())
    monkeypatch.setattr(intake, "promote_table", fails)
    with pytest.raises(KeyboardInterrupt):
        take_in(wh, library, landing, archive)
    assert not wh.rows("SELECT 1 FROM identity.meta.intake")
    monkeypatch.undo()
    assert take_in(wh, library, landing, archive)[0].state == "accepted"


def test_archive_holds_each_file_sealed(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    deliver(landing, both())
    found = take_in(wh, library, landing, archive)
    assert {path.name for path in archive.folder.iterdir()} == set(found[0].hashes)
    for path in archive.folder.iterdir():
        assert b"CANARY" not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600
    assert BORROWERS.encode() in [b"".join(archive.read(sha256)) for sha256 in found[0].hashes]
    assert {path.name for path in consumed_files(found, archive)} == {"borrower.csv", "loan.csv", "manifest.json"}
    archive.remove(found[0].hashes[0])
    assert consumed_files(found, archive) == []


def test_nothing_is_kept_of_a_refused_delivery(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    deliver(landing, both())
    refused = take_in(wh, library, landing, archive, lambda candidate: Verdict(False, "no"))
    assert ([intake.state for intake in refused], list(archive.folder.iterdir())) == (["refused"], [])
    taken = take_in(wh, library, landing, archive)
    assert {path.name for path in archive.folder.iterdir()} == set(taken[0].hashes)


@pytest.mark.parametrize("harm", ["flip", "cut", "key"])
def test_archive_shows_any_harm(tmp_path: Path, harm: str, library: Contract, landing: Path, archive: Archive) -> None:
    from pipelines.sources.file_faults import inspect

    path = tmp_path / "large.csv"
    path.write_bytes(b"0123456789abcdef" * 700_000)  # more than two frames
    file = inspect(path, "utf-8")
    archive.store(file)
    sealed = archive.path(file.sha256)
    content = bytearray(sealed.read_bytes())
    if harm == "flip":
        content[-3] ^= 1
    if harm == "cut":
        del content[-2000:]
    sealed.write_bytes(content)
    opened = Archive(archive.folder, b"x" * 32) if harm == "key" else archive
    with pytest.raises(ArchiveError):
        b"".join(opened.read(file.sha256))


def test_inbox_is_never_touched(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    folder = deliver(landing, both())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    take_in(wh, library, landing, archive)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_column_named_like_a_type_is_set_aside_like_any_other(wh: Warehouse, tmp_path: Path, landing: Path) -> None:
    contract = make_contract(tmp_path, CONTRACT.replace("{name: since, ", "{name: DEC, "))
    deliver(landing, both(loans="loan,card,DEC\nL1,1,01/10/2026\nL1,2,02/10/2026\n"))
    assert take_in(wh, contract, landing, None)[0].set_aside == 1
