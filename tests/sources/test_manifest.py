"""A manifest that is written for a delivery holds what intake finds there; later cuts and changes show."""

import json
from pathlib import Path

import pytest

from pipelines.faults import BoroughlinkError
from pipelines.inbox import MANIFEST
from pipelines.settings import DataFolder
from pipelines.sources.intake import take_in
from pipelines.stewardship.announcing import announce
from pipelines.warehouse import Warehouse
from tests.sources.library import BORROWERS, LOANS, deliver, make_contract
from tests.sources.test_changes import CHANGES, HEAD
from tests.sources.test_workbooks import HEAD as COLUMNS
from tests.sources.test_workbooks import ROWS, SHEETS, book

FILES = {"borrower.csv": BORROWERS + '3,"EVE\nCANARY",bad,0\n4,too few\n', "loan.csv": LOANS}


def test_a_written_manifest_is_what_a_careful_sender_says(wh: Warehouse, tmp_path: Path, landing: Path) -> None:
    library = make_contract(tmp_path)
    data, sources = DataFolder.at(tmp_path / "data"), str(tmp_path / "sources")
    place = deliver(landing, FILES, manifest=False)
    assert take_in(wh, library, landing, None)[0].state == "waiting"
    said = announce(data, "library", sources, str(landing), synthetic=True)
    assert said == "library/2026-10-31/manifest.json: 2 files, 5 rows, as they lie there now."
    stated = json.loads((place / MANIFEST).read_text())
    assert stated["synthetic"] and [entry["rows"] for entry in stated["files"]] == [4, 1]
    (taken,) = take_in(wh, library, landing, None)
    assert taken.state == "accepted", taken.reason
    with pytest.raises(BoroughlinkError, match="already, its sender"):
        announce(data, "library", sources, str(landing))
    assert not (tmp_path / "data").exists()


def test_what_is_cut_off_after_the_manifest_was_written_is_refused(
    wh: Warehouse, tmp_path: Path, landing: Path
) -> None:
    library = make_contract(tmp_path)
    place = deliver(landing, FILES, manifest=False)
    announce(DataFolder.at(tmp_path / "data"), "library", str(tmp_path / "sources"), str(landing), day=place.name)
    (place / "loan.csv").write_text("loan,card,since\n")
    (taken,) = take_in(wh, library, landing, None)
    assert taken.state == "refused" and "shorter" in (taken.reason or "")


def test_the_rows_of_all_sheets_of_a_workbook_and_changes_are_counted_as_intake_counts(
    wh: Warehouse, tmp_path: Path
) -> None:
    for name, contract, files, changes in (
        ("sheets", SHEETS, {"library.xlsx": book([COLUMNS, *ROWS])}, False),
        ("changes", CHANGES, {"borrower.csv": HEAD + "U,2,BEN,,5\n"}, True),
    ):
        library, landing = make_contract(tmp_path / name, contract), tmp_path / name / "landing"
        deliver(landing, files, manifest=False)
        data = DataFolder.at(tmp_path / "data")
        announce(data, "library", str(tmp_path / name / "sources"), str(landing), changes=changes)
        (taken,) = take_in(wh, library, landing, None)
        assert taken.state == "accepted", taken.reason
