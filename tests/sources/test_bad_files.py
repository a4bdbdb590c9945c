"""Every way in which an extract can be bad gets one message; nothing of it comes in, nothing good goes."""

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines.quality.gate import gate
from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract
from pipelines.sources.facts_build import WHOLE_UPRN
from pipelines.sources.intake import take_in
from pipelines.sources.landing import delivery_folders
from pipelines.warehouse import Warehouse
from tests.sources.library import BORROWERS, CONTRACT, DAY, LOANS, both, deliver, make_contract

STAGED = "identity.staged.library__borrower"
ROW = "1,ANNE CANARY,01/02/1980,3\n"
SPOILT: dict[str, tuple[bytes | str, int | None, str]] = {
    "empty": ("", None, "borrower.csv: is empty"),
    "header only": ("Card No,name,born,visits\n", None, "a header and no rows"),
    "NUL bytes": (BORROWERS.encode() + b"3,CAN\0ARY,,\n", 4, "NUL"),
    "wrong encoding": (BORROWERS.encode() + "3,RENÉ CANARY,,1\n".encode("latin-1"), 4, "not UTF-8"),
    "UTF-16": (BORROWERS.encode("utf-16"), None, "UTF-16"),
    "a spreadsheet": (b"PK\x03\x04" + BORROWERS.encode(), None, "spreadsheet"),
    "password-protected": (b"\xd0\xcf\x11\xe0" + BORROWERS.encode(), None, "password-protected"),
    "unclosed quote": ('Card No,name,born,visits\n1,"ANNE CANARY,01/02/1980,3\n2,BEN,,1\n', 2, "never closed"),
    "missing column": ("Card No,name,born\n1,ANNE CANARY,01/02/1980\n", 1, "lacks the column visits"),
    "extra column": ("Card No,name,born,visits,CANARY\n" + ROW.replace("\n", ",x\n"), 1, "(number 5)"),
    "column twice": ("Card No,name,born,visits,name\n" + ROW.replace("\n", ",x\n"), 1, "column name twice"),
    "no header": (ROW * 3, 1, "lacks the columns Card No, name, born, visits"),
    "another source's file": (LOANS, 1, "lacks"),
    "cut off in the last line": (BORROWERS + "3,CANARY", 4, "cut off"),
    "most rows broken": ("Card No,name,born,visits\n" + "1,CANARY\n" * 9 + ROW, None, "9 of 10 rows"),
    "no row usable": ("Card No,name,born,visits\n,CANARY,,\n", None, "no row that can be used"),
    "old Mac line ends": (BORROWERS.replace("\n", "\r"), 1, "line ends are mixed"),
    "a gzip": (b"\x1f\x8b\x08CANARY" * 9, None, "gzip"),
    "endless records": (BORROWERS + f"3,{'CANARY' * 700_000},,1\n" * 9 + ROW, 4, "more than 4,000,000 bytes"),
    "endless heading": (BORROWERS.replace("visits", "CANARY" * 50_000), 1, "far too long"),
    "mixed line ends": ("Card No,name,born,visits\n1,ANNE CANARY,,3\r\n2,BEN,,1\n3,CAT,,1\r4,D,,1\n", None, "as CSV"),
}


def check_refused(wh: Warehouse, contract: Contract, landing: Path, archive: Archive) -> str:
    """Take in: the extract is refused, the refusal is recorded, the state stays; return the message."""
    before = wh.rows(f"SELECT * FROM {STAGED}") if wh.exists(STAGED) else None
    refused = [intake for intake in take_in(wh, contract, landing, archive) if intake.state == "refused"]
    assert len(refused) == 1
    reason = refused[0].reason or ""
    assert "CANARY" not in reason
    assert "\n" not in reason
    assert (wh.rows(f"SELECT * FROM {STAGED}") if wh.exists(STAGED) else None) == before
    assert wh.rows("SELECT DISTINCT reason FROM identity.meta.intake WHERE state = 'refused'") == [(reason,)]
    assert not wh.rows("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'incoming'")
    return reason


@pytest.mark.parametrize("kind", SPOILT)
def test_spoilt_file_is_refused(wh: Warehouse, library: Contract, landing: Path, archive: Archive, kind: str) -> None:
    content, line, says = SPOILT[kind]
    take_in(wh, library, landing, archive)
    deliver(landing, both(), date(2026, 9, 30))
    assert [intake.state for intake in take_in(wh, library, landing, archive)] == ["accepted"]
    deliver(
        landing,
        both(content),
        rows={"borrower.csv": content.count(b"\n" if isinstance(content, bytes) else "\n") - 1, "loan.csv": 1},
    )  # type: ignore[arg-type]
    reason = check_refused(wh, library, landing, archive)
    assert says in reason
    assert "borrower.csv" in reason
    if line:
        assert f"line {line}" in reason
    archived = {path.name for path in archive.folder.iterdir()}
    assert not any(name.startswith(".") for name in archived)


def test_latin_1_contract_given_utf_8(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    latin = library.model_copy(update={"encoding": "latin-1"})
    deliver(landing, both(BORROWERS + "3,RENÉ,,1\n"))
    assert "line 4" in check_refused(wh, latin, landing, archive)  # É is C3 89 in UTF-8, and 89 is no Latin-1 text
    deliver(landing, both(BORROWERS + "3,René,,1\n"), date(2026, 11, 1))
    assert any("is UTF-8 text" in (found.reason or "") for found in take_in(wh, latin, landing, archive))


def test_latin_1_is_read(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    latin = library.model_copy(update={"encoding": "latin-1"})
    deliver(landing, both((BORROWERS + "3,RENÉ,,1\n").replace("\n", "\r\n").encode("latin-1")))
    assert take_in(wh, latin, landing, archive)[0].state == "accepted"
    assert wh.scalar(f"SELECT name FROM {STAGED} WHERE card = '3'") == "RENÉ"


def test_missing_file(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    deliver(landing, {"borrower.csv": BORROWERS})
    assert "loan.csv: is missing" in check_refused(wh, library, landing, archive)


def test_two_files_for_one_table(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    tables = tuple(table.model_copy(update={"file": f"{table.name}*.csv"}) for table in library.tables)
    deliver(landing, both() | {"borrower2.csv": BORROWERS})
    assert "stands for 2 files" in check_refused(wh, library.model_copy(update={"tables": tables}), landing, archive)


def test_two_files_of_one_name_but_for_case(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    deliver(landing, both() | {"Borrower.CSV": BORROWERS})
    assert "differ only in case" in check_refused(wh, library, landing, archive)
    deliver(landing, {"BORROWER.CSV": BORROWERS, "loan.csv": LOANS}, date(2026, 11, 1))
    found = take_in(wh, library, landing, archive)[-1]
    assert "a name in other capitals is there" in (found.reason or "")


def extract(rows: int) -> dict[str, bytes | str]:
    return both("Card No,name,born,visits\n" + "".join(f"{card},SOMEONE {card},,1\n" for card in range(rows)))


@pytest.mark.parametrize(
    ("late", "state"), [(500, "accepted"), (1300, "accepted"), (300, "refused"), (1400, "refused")]
)
def test_an_extract_that_comes_late_is_judged_by_what_may_have_followed_it(
    wh: Warehouse, library: Contract, landing: Path, late: int, state: str
) -> None:
    """As in order: a third of what came next is too few, a third more than it too many."""
    deliver(landing, extract(1000))
    take_in(wh, library, landing, None, gate(wh))
    deliver(landing, extract(late), date(2026, 9, 30))
    assert take_in(wh, library, landing, None, gate(wh))[0].state == state


def test_half_a_row_more_or_less_needs_the_senders_word(wh: Warehouse, library: Contract, landing: Path) -> None:
    deliver(landing, extract(1000), date(2026, 9, 30))
    deliver(landing, extract(700), DAY)
    folder = deliver(landing, extract(701), date(2026, 11, 1))
    (folder / "manifest.json").write_text(
        (folder / "manifest.json").read_text().replace("{", '{"confirmed": true, ', 1)
    )
    found = take_in(wh, library, landing, None, gate(wh))
    assert [intake.state for intake in found] == ["accepted", "refused", "accepted"]
    assert "as many rows as in the last extract" in (found[1].reason or "")


def test_older_extract_under_a_new_date(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    deliver(landing, both(), date(2026, 8, 31))
    deliver(landing, both(BORROWERS + "3,CAT,,1\n"), date(2026, 9, 30))
    take_in(wh, library, landing, archive)
    deliver(landing, both(), DAY)
    assert "byte for byte, the extract of 2026-08-31" in check_refused(wh, library, landing, archive)


def test_extract_of_another_period(wh: Warehouse, tmp_path: Path, landing: Path, archive: Archive) -> None:
    text = CONTRACT.replace("- {name: since, type: date, ", "- {name: since, type: date, period_days: 31, ")
    deliver(landing, both(loans=LOANS.replace("01/10/2026", "01/06/2026")))
    reason = check_refused(wh, make_contract(tmp_path, text), landing, archive)
    assert "is of another period: in 1 row since lies more than 31 days from the extract date" in reason


def test_future_dates_are_told(wh: Warehouse, tmp_path: Path, landing: Path) -> None:
    text = CONTRACT.replace("{name: since, type: date, ", "{name: since, type: date, range: {max: extract_date}, ")
    deliver(landing, both(loans=LOANS.replace("01/10/2026", "01/10/2062")))
    assert take_in(wh, make_contract(tmp_path, text), landing, None, gate(wh))[0].state == "accepted"
    failed = wh.rows("SELECT rule, failures FROM identity.quality.result WHERE NOT passed AND rule LIKE 'loan.since%'")
    assert [count for _, count in failed] == [1]


UPRNS = {
    "999000000001": 999000000001, "999000000001.0": 999000000001, "+999000000001": 999000000001,
    " 999000000001 ": 999000000001, "000999000001": 999000001, "-1.0": None, "-999000000001": None, "0": None,
    "999 000 000 001": None, "9990000000011": None, "999000000001.5": None, "9.99E+11": None, "": None, "N/A": None,
}  # fmt: skip


def test_uprn_with_decimals_sign_or_spaces(wh: Warehouse) -> None:
    wh.execute(WHOLE_UPRN)
    assert {text: wh.scalar("SELECT whole_uprn(?)", [text]) for text in UPRNS} == UPRNS


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sha256": "0" * 64}, "doesn't have the SHA-256"),
        ({"bytes": 999}, "is shorter (cut off?) than"),
        ({"rows": 3}, "holds 2 rows, but manifest.json says 3"),
        ({"name": "other.csv"}, "at least one isn't there"),
    ],
)
def test_manifest_that_differs(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, change: dict[str, object], says: str
) -> None:
    folder = deliver(landing, both())
    stated = json.loads((folder / "manifest.json").read_text())
    stated["files"][0] |= change
    (folder / "manifest.json").write_text(json.dumps(stated))
    assert says in check_refused(wh, library, landing, archive)


def test_manifest_broken(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    folder = deliver(landing, both())
    (folder / "manifest.json").write_text("{")
    assert "not valid JSON" in check_refused(wh, library, landing, archive)
    (folder / "manifest.json").write_text("[" * 100_000)
    assert "not valid JSON" in check_refused(wh, library, landing, archive)
    (folder / "manifest.json").write_text("[]")
    assert "`the whole`" in check_refused(wh, library, landing, archive)
    (folder / "manifest.json").write_text('{"source": "library"}')
    assert "`extract_date` is missing" in check_refused(wh, library, landing, archive)
    (folder / "manifest.json").write_text('{"source": "library", "extract_date": "2026-01-01", "files": []}')
    assert "another source or extract date" in check_refused(wh, library, landing, archive)


def test_not_yet_complete_waits(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    deliver(landing, both(), manifest=False)
    deliver(landing, both(), date(2027, 1, 31))
    waiting = take_in(wh, library, landing, archive)
    assert [intake.state for intake in waiting] == ["waiting", "waiting"]
    assert "no manifest.json yet" in (waiting[0].reason or "")
    assert "30 November 2026" in (waiting[1].reason or "")


def test_day_that_does_not_exist(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    deliver(landing, both()).rename(landing / "library" / "2026-02-31")
    assert "a day that doesn't exist" in check_refused(wh, library, landing, archive)


@pytest.mark.parametrize("what", ["file", "folder", "source"])
def test_symbolic_links_are_refused(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, tmp_path: Path, what: str
) -> None:
    folder = deliver(landing, both())
    place = {"file": folder / "borrower.csv", "folder": folder, "source": landing / "library"}[what]
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    found = take_in(wh, library, landing, archive)
    assert [intake.state for intake in found] == ["refused"]
    assert "symbolic link" in (found[0].reason or "")
    assert not wh.exists(STAGED)


def test_pipe_is_refused(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    folder = deliver(landing, both())
    (folder / "borrower.csv").unlink()
    os.mkfifo(folder / "borrower.csv")
    assert "not a plain file" in check_refused(wh, library, landing, archive)


def test_folder_in_the_place_of_a_file_is_refused(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive
) -> None:
    folder = deliver(landing, both())
    (folder / "borrower.csv").unlink()
    (folder / "borrower.csv").mkdir()
    assert "not a plain file" in check_refused(wh, library, landing, archive)


def test_unreadable_folder_is_refused_and_the_rest_goes_on(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = deliver(landing, both())
    deliver(landing, both(), date(2026, 9, 30))
    iterdir = Path.iterdir

    def guarded(path: Path) -> Iterator[Path]:
        if path == shut:
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", guarded)
    found = take_in(wh, library, landing, archive)
    assert [intake.state for intake in found] == ["accepted", "refused"]
    assert "can't be read (Permission denied)" in (found[1].reason or "")


def test_corrections_are_taken_in_the_order_of_their_numbers(library: Contract, landing: Path) -> None:
    for suffix in (".10", "", ".2"):
        deliver(landing, both(), suffix=suffix)
    (landing / "library" / f"{DAY}\n").mkdir()
    assert [folder.suffix for folder in delivery_folders(library, landing)] == ["", ".2", ".10"]


def test_hostile_names_are_harmless(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    name = "borrower'; DROP SCHEMA identity.staged CASCADE; --[a]*?\x1b[31m\n.csv"
    tables = tuple(
        table.model_copy(update={"file": "borrower*"}) if table.name == "borrower" else table
        for table in library.tables
    )
    odd = landing / "o'[dd]*"
    deliver(odd, {name: BORROWERS, "loan.csv": LOANS})
    hostile = library.model_copy(update={"tables": tables})
    assert [intake.state for intake in take_in(wh, hostile, odd, archive)] == ["accepted"]
    deliver(odd, {name: BORROWERS + "3\n" * 9, "loan.csv": LOANS}, date(2026, 11, 1))
    reason = take_in(wh, hostile, odd, archive)[-1].reason or ""
    assert reason.isprintable()


def test_file_changed_while_read(
    wh: Warehouse, library: Contract, landing: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = deliver(landing, both())
    from pipelines.sources import intake

    opened = intake.open_delivery

    def opened_then_changed(*given: object) -> object:
        delivery = opened(*given)  # type: ignore[arg-type]
        (folder / "borrower.csv").write_text(BORROWERS + "3,CAT CANARY,,1\n")
        return delivery

    monkeypatch.setattr(intake, "open_delivery", opened_then_changed)
    assert "changed while it was read" in check_refused(wh, library, landing, archive)


def test_gate_refuses_with_its_reason(wh: Warehouse, library: Contract, landing: Path, archive: Archive) -> None:
    from pipelines.sources.intake import Verdict

    deliver(landing, both(), DAY)
    found = take_in(wh, library, landing, archive, lambda candidate: Verdict(False, "too few borrowers"))
    assert (found[0].state, found[0].reason) == ("refused", "too few borrowers")
    assert not wh.exists(STAGED)
    assert take_in(wh, library, landing, archive)[0].state == "accepted"
    assert not wh.rows("SELECT 1 FROM identity.meta.intake WHERE state = 'refused'")
