"""Months of one borough through the pipeline: a run a month, ids that last, and a past day exactly as it was."""

import csv
import io
import json
import re
import shutil
from datetime import date

import pytest

from pipelines.faults import BoroughlinkError
from pipelines.reading.changes import difference_of
from pipelines.running.job import run_and_report
from pipelines.running.reconstruction import reconstruct
from pipelines.settings import SHIPPED_SOURCES, DataFolder, write_settings
from pipelines.snapshots import NothingPublished, open_snapshot
from pipelines.stewardship.retention import retention_of
from synthetic_data.borough import make_borough
from tests.end_to_end.canaries import search

SOURCES = ("electoral_register", "housing")
FIRST = date(2026, 9, 30)
TABLES = {
    "membership": "view, record_id, person_id",
    "household": "view, household_id, uprn, from_date, to_date, persons",
    "edge": "record_l, record_r, round(match_weight, 9)",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Two months of two sources, a run each."""
    root = tmp_path_factory.mktemp("months")
    make_borough(root / "borough", 800, 6, months=2)
    for name in SOURCES:
        shutil.copytree(root / "borough" / "landing" / name, root / "data" / "landing" / name)
        shutil.copytree(SHIPPED_SOURCES / name, root / "sources" / name)
    folder = DataFolder.at(root / "data").make()
    write_settings(folder, holds="synthetic", clock="2026-11-01")
    assert run_and_report(str(folder.root), None, str(root / "sources"), None, False, monthly=True) == 0
    return folder


def published(folder: DataFolder, run_id: str | None = None) -> dict[str, list[tuple]]:
    with open_snapshot(folder, run_id) as (wh, _):
        return {
            t: wh.rows(f"SELECT {columns} FROM published.linkage.{t} ORDER BY ALL") for t, columns in TABLES.items()
        }


def runs(folder: DataFolder) -> list[str]:
    return sorted(path.name for path in folder.published.iterdir() if path.is_dir())


def test_each_month_is_a_run_that_sees_nothing_later(folder):
    seen = []
    for run_id in runs(folder):
        with open_snapshot(folder, run_id) as (wh, _):
            seen.append(wh.rows("SELECT DISTINCT extract_date FROM published.meta.intake ORDER BY 1"))
    assert seen == [[(FIRST,)], [(FIRST,), (date(2026, 10, 31),)]]


def test_a_past_day_is_what_its_run_published_and_today_is_untouched(folder):
    first, second = runs(folder)
    before = published(folder), folder.identity.read_bytes()
    said = reconstruct(folder, FIRST, None)
    assert first in said
    past = DataFolder(folder.root, FIRST)
    assert published(past) == published(folder, first) != published(folder, second)
    assert (published(folder), folder.identity.read_bytes()) == before
    assert not list(folder.work.iterdir())


def test_no_byte_of_a_past_day_names_anyone(folder):
    text = [next((folder.root.parent / "borough/landing/housing").glob(f"{FIRST}/member.csv")).read_text("utf-8")]
    people = list(csv.DictReader(io.StringIO(text[0])))
    values = {row[name] for row in people for name in ("ni_no", "email", "phone") if len(row[name] or "") > 6}
    assert len(values) > 20 and folder.reconstruction(FIRST).exists()
    assert search(folder.root / "as-of", sorted(values)[:60], exceptions=("none",)) == {}


def test_what_differs_between_two_runs_names_nobody(folder, tmp_path):
    people = list(csv.DictReader((folder.root.parent / f"borough/landing/housing/{FIRST}/member.csv").open()))
    values = {row[name] for row in people for name in ("ni_no", "email", "phone") if len(row[name] or "") > 6}
    values |= {row["surname"] for row in people if len(row["surname"]) > 6}
    answer = difference_of(folder, *runs(folder))
    (tmp_path / "diff").write_text(json.dumps(answer.plain(), default=str))
    assert answer.said and len(values) > 40
    assert search(tmp_path, sorted(values), exceptions=("none",)) == {}


def test_a_past_day_goes_when_a_source_of_it_is_past_its_retention(folder):
    sources = str(folder.root.parent / "sources")
    assert "Nothing has outlived" in retention_of(folder, sources, apply=True).said[0]
    assert folder.reconstruction(FIRST).exists()
    contract = folder.root.parent / "sources/electoral_register/contract.yaml"
    stated = contract.read_text()
    try:
        contract.write_text(re.sub(r"retention_days: \d+", "retention_days: 20", stated))
        due = retention_of(folder, sources, apply=False)
        assert ("2026-09-30", "electoral_register") in {
            row[:2] for row in {t[0]: t[2] for t in due.tables}["Past days"]
        }
        retention_of(folder, sources, apply=True)
    finally:
        contract.write_text(stated)
    assert not folder.reconstruction(FIRST).exists()


def test_a_day_that_cannot_be_reconstructed_is_refused_in_words(folder):
    with pytest.raises(BoroughlinkError, match="not past"):
        reconstruct(folder, date(2026, 11, 1), None)
    with pytest.raises(BoroughlinkError, match="No extract is dated 2026-09-29"):
        reconstruct(folder, date(2026, 9, 29), None)
    with (
        pytest.raises(NothingPublished, match="never reconstructed"),
        open_snapshot(DataFolder(folder.root, date(2026, 9, 29))),
    ):
        pass
