"""What waits in the landing folder, whatever else lies there."""

import json
import os
from datetime import date
from pathlib import Path

from pipelines.commit_point import _empty_inbox
from pipelines.inbox import signatures, untaken
from pipelines.settings import SHIPPED_SOURCES, DataFolder

DAY = date(2026, 11, 1)


def deliver(folder: DataFolder, name: str = "housing/2026-10-31") -> Path:
    delivery = folder.landing / name
    delivery.mkdir(parents=True)
    (delivery / "manifest.json").write_text("{}")
    return delivery


def test_only_dated_folders_of_sources_wait(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path / "data").make()
    (folder.landing / "readme.txt").write_text("how to deliver")
    Path(os.fsdecode(os.fsencode(folder.landing) + b"/\xff\xfe")).mkdir()
    deliver(folder, "parks/2026-10-31")
    deliver(folder, "housing/old")
    assert not untaken(folder, folder.landing, SHIPPED_SOURCES, DAY)
    deliver(folder)
    assert len(untaken(folder, folder.landing, SHIPPED_SOURCES, DAY).signatures) == 1


def test_what_no_run_would_take_today_starts_none(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path / "data").make()
    deliver(folder, "housing/2026-11-02.2")
    (deliver(folder, "deaths/2026-10-31") / "manifest.json").rename(folder.landing / "deaths/2026-10-31/deaths.csv")
    waiting = untaken(folder, folder.landing, SHIPPED_SOURCES, DAY)
    assert (bool(waiting), waiting.not_due) == (False, 2)
    assert len(untaken(folder, folder.landing, SHIPPED_SOURCES, date(2026, 11, 2)).signatures) == 1
    contract = tmp_path / "sources" / "deaths" / "contract.yaml"
    contract.parent.mkdir(parents=True)
    contract.write_text("control: none\n")
    assert untaken(folder, folder.landing, tmp_path / "sources", DAY), "a source without manifests is never awaited"


def test_names_in_no_encoding_have_a_signature(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path / "data").make()
    delivery = deliver(folder)
    (delivery / "manifest.json").unlink()
    Path(os.fsdecode(os.fsencode(delivery) + b"/\xff.csv")).write_text("a")
    assert len(signatures(delivery)) == 1


def test_a_damaged_note_of_what_was_taken_stops_nothing(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path / "data").make()
    deliver(folder)
    (folder.root / "taken.json").write_text("{damaged")
    assert untaken(folder, folder.landing, SHIPPED_SOURCES, DAY)


def test_a_link_in_the_inbox_does_not_hold_up_the_commit(tmp_path: Path) -> None:
    folder = DataFolder.at(tmp_path / "data").make()
    (tmp_path / "elsewhere").mkdir()
    (folder.landing / "link").symlink_to(tmp_path / "elsewhere")
    (folder.landing / "housing" / "2026-10-31").mkdir(parents=True)
    note = folder.work / "consumed.json"
    note.write_text(json.dumps({"paths": [], "hashes": []}))
    _empty_inbox(folder, note)
    assert (tmp_path / "elsewhere").is_dir()
    assert [path.name for path in folder.landing.iterdir()] == ["link"]
