"""An extract that the gate refuses, or can't judge, stops its source and nothing else; what follows says so."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

import dagster as dg
import pytest

from pipelines.assets import OLD
from pipelines.notices.occasions import REFUSED
from pipelines.outgoing.files import stamp_of
from pipelines.reading.overview import status_of
from pipelines.running.job import published_figures, run_and_report
from pipelines.settings import SHIPPED_SOURCES, DataFolder, write_settings
from pipelines.snapshots import open_snapshot
from synthetic_data.borough import make_borough
from tests.notices.servers import web_server

SOURCES = ("electoral_register", "housing")
CANARY = "Quillfeather"
OF_HOUSING = {"facts/tenancy", "facts/person_record", "people/record", "linkage/edge", "published", "staged/housing"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Two months of two sources: the first taken in, the second waits, with every surname of housing gone."""
    root = tmp_path_factory.mktemp("old")
    make_borough(root / "borough", 600, 6, months=2)
    for name in SOURCES:
        shutil.copytree(root / "borough" / "landing" / name, root / "landing" / name)
        shutil.copytree(SHIPPED_SOURCES / name, root / "sources" / name)
    folder = DataFolder.at(root / "data").make()
    write_settings(folder, holds="synthetic", clock="2026-11-01")
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setenv("BOROUGHLINK_CLOCK", "2026-10-01")
        assert run_and_report(str(folder.root), str(root / "landing"), str(root / "sources"), None, False) == 0
    without_surnames(root / "landing" / "housing" / "2026-10-31")
    return folder


def without_surnames(delivery: Path) -> None:
    rows = list(csv.DictReader((delivery / "member.csv").open(encoding="utf-8")))
    with (delivery / "member.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "surname": "", "forename": CANARY, "ni_no": CANARY} for row in rows)
    manifest = delivery / "manifest.json"
    said = json.loads(manifest.read_text())
    for named in said["files"]:
        content = (delivery / named["name"]).read_bytes()
        named["sha256"], named["bytes"] = hashlib.sha256(content).hexdigest(), len(content)
    manifest.write_text(json.dumps(said))


def marks(folder: DataFolder) -> dict[str, str]:
    """What the steps of the newest run say of old extracts, by asset."""
    found = {}
    with dg.DagsterInstance.from_config(str(folder.dagster)) as instance:
        (run,) = instance.get_run_records(limit=1)
        for entry in instance.all_logs(run.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
            event = entry.dagster_event
            assert event is not None
            made = event.step_materialization_data.materialization
            if OLD in made.metadata:
                found["/".join(made.asset_key.path)] = str(made.metadata[OLD].value)
    return found


def test_what_stands_on_an_old_extract_says_so_everywhere_without_a_value_of_it(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = folder.root.parent
    with web_server() as (address, got):
        monkeypatch.setenv("BOROUGHLINK_WEBHOOK_URL", address)
        assert run_and_report(str(folder.root), str(root / "landing"), str(root / "sources"), None, False) == 1
    said = "Housing tenancies stands on its extract of 2026-09-30: the extract of 2026-10-31 was refused."
    figures = published_figures(folder)
    assert figures.old == (said,)
    assert [refusal.source for refusal in figures.refusals.rows] == ["housing"]
    page = (folder.published / figures.run_id / "report.html").read_text()
    assert "Built in part on old extracts" in page and said in page
    assert said in status_of(folder).said
    assert f"Old extract: {said}" in stamp_of(folder, "test", figures.run_id).lines()
    with open_snapshot(folder) as (wh, _):
        of = (
            "SELECT source, max(extract_date)::VARCHAR FROM published.meta.intake WHERE state = 'accepted' GROUP BY ALL"
        )
        assert dict(wh.rows(of)) == {"electoral_register": "2026-10-31", "housing": "2026-09-30"}
        assert wh.scalar("SELECT count(*) FROM published.people.record WHERE source = 'housing'") > 0
    told = marks(folder)
    assert set(told) >= OF_HOUSING
    assert not {"staged/electoral_register", "facts/registration"} & set(told)
    assert set(told.values()) == {said}
    refused = [notice for _, notice in got if notice["event"] == REFUSED]
    assert len(refused) == 1 and "Not so in" in refused[0]["text"]
    status = "".join(path.read_text() for path in (folder.published / figures.run_id).glob("*.[hj]*[ln]"))
    assert status
    assert CANARY not in repr(got) + repr(figures) + repr(told) + status + "".join(capfd.readouterr())
    kept = [path for path in folder.dagster.rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if CANARY.encode() in path.read_bytes()]


def test_a_broken_check_stops_its_source_alone_and_is_no_bad_data(folder: DataFolder) -> None:
    root = folder.root.parent
    checks = root / "sources" / "housing" / "checks" / "tenancy_has_tenant.sql"
    right = checks.read_text()
    checks.write_text("SELECT count(*), no_such_column FROM ${tenagree}")
    assert run_and_report(str(folder.root), str(root / "landing"), str(root / "sources"), None, False) == 1
    figures = published_figures(folder)
    assert "could not be judged, because a check is broken" in figures.old[0]
    assert "Check check.tenancy_has_tenant is broken" in figures.refusals.rows[0].reason
    checks.write_text(right)
    assert run_and_report(str(folder.root), str(root / "landing"), str(root / "sources"), None, False) == 1
    assert "was refused" in published_figures(folder).old[0]  # judged again, now that it can be
