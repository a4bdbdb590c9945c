import json
import shutil
import sqlite3
import time
from contextlib import closing

import dagster as dg
import pytest

from pipelines.assets import STARTED_BY_TAG
from pipelines.commit_point import Current, hold_lock
from pipelines.definitions import Place, build_definitions
from pipelines.settings import SHIPPED_SOURCES, DataFolder
from pipelines.sources.contract_files import load_contracts
from review_app.starting import start, started, stop
from tests.end_to_end.conftest import FEW, boroughlink


def test_a_second_run_is_told_and_readers_go_on(borough, tmp_path):
    mine = borough.copy(tmp_path / "mine")
    lock = hold_lock(DataFolder.at(mine.data), "ann")
    try:
        done = boroughlink("run", "--data", mine.data, "--force", fine=False)
        assert done.returncode == 1
        assert "under way" in done.stderr
        assert "ann" in done.stderr
        assert "under way" in boroughlink("status", "--data", mine.data).stdout
        assert boroughlink("quality", "--data", mine.data).stdout
    finally:
        lock.close()


def test_without_a_source_the_rest_is_served_and_the_gap_named(few, tmp_path):
    done = boroughlink("run", "--data", tmp_path / "data", "--landing", few / "landing")
    said = " ".join(done.stdout.split()).partition("Sources of which no extract has come in: ")[2].partition(". ")[0]
    unsaid = {
        name for name, contract in load_contracts(SHIPPED_SOURCES).items() if contract.title not in said.split("; ")
    }
    assert unsaid == set(FEW)
    assert list((tmp_path / "data" / "exports").rglob("*.xlsx"))


@pytest.fixture(scope="module")
def stood(landed, tmp_path_factory):
    """A folder that holds inbox, contracts and data of one source, run once, and what that printed."""
    home = tmp_path_factory.mktemp("small")
    landing, sources, data = home / "in box", home / "sources", home / "data"
    shutil.copytree(landed / "landing" / "deaths", landing / "deaths")
    shutil.copytree(SHIPPED_SOURCES / "deaths", sources / "deaths")
    data.mkdir()
    (data / "boroughlink.yaml").write_text("# ours\nclock: 2026-11-01\n")
    return home, boroughlink("run", "--data", data, "--landing", landing, "--sources", sources).stdout


@pytest.fixture
def small(stood, tmp_path):
    """A copy of it: data, landing, sources."""
    home, mine = stood[0], tmp_path / "small"
    shutil.copytree(home, mine)
    settings = mine / "data" / "boroughlink.yaml"
    settings.write_text(settings.read_text().replace(str(home), str(mine)))
    return mine / "data", mine / "in box", mine / "sources"


def test_what_the_first_run_is_told_of_places_holds_for_later_commands(stood):
    home, printed = stood
    data, landing = home / "data", home / "in box"
    assert f"--landing {landing}" in printed
    assert (data / "boroughlink.yaml").read_text().startswith("# ours\nclock: 2026-11-01\n")
    assert "Nothing has changed" in boroughlink("run", "--data", data).stdout
    listed = json.loads(boroughlink("sources", "--data", data, "--json").stdout)
    assert [row["source"] for row in listed["Sources"]] == ["deaths"]
    assert all(row["lawful basis"] for row in listed["Lawful bases"])


def test_a_preview_shows_what_would_change_and_leaves_a_line_in_the_audit_only(small, landed):
    data, landing, sources = small
    shutil.copytree(landed / "landing" / "electoral_register", landing / "electoral_register")
    shutil.copytree(SHIPPED_SOURCES / "electoral_register", sources / "electoral_register")
    before, history = _everything(data), _table(data, "run")
    done = boroughlink("run", "--preview", "--threshold", "1", "--data", data, "--json")
    (view,) = [view for view in json.loads(done.stdout)["differences"]["persons"] if view["view"] == "data_quality"]
    assert view["before"] < view["created"] <= view["after"] - view["before"]
    assert _everything(data) == before
    assert _table(data, "run") == history
    assert [row[3] for row in _table(data, "audit")][-1] == "run previewed"
    assert list(landing.rglob("*.csv"))
    for wrong in ("cluster_stop=-9", "nonsense=1", "nothing"):
        done = boroughlink("run", "--preview", "--set", wrong, "--data", data, fine=False)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert _everything(data) == before


def _everything(data):
    """Name and content of every file, but of the operational store (see _table) and the lock."""
    files = [
        path for path in data.rglob("*") if path.is_file() and not path.name.startswith(("operations.", "run.lock"))
    ]
    return {str(path.relative_to(data)): path.read_bytes() for path in files}


def _table(data, name):
    with closing(sqlite3.connect(data / "operations.sqlite")) as db:
        return db.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()


def test_without_any_extract_the_answer_is_clear(tmp_path):
    (tmp_path / "landing").mkdir()
    done = boroughlink("run", "--data", tmp_path / "data", "--landing", tmp_path / "landing", fine=False)
    assert "Traceback" not in done.stdout + done.stderr
    assert "no extract" in (done.stdout + done.stderr).lower()


def _land_again(delivery, to):
    """The same files as an extract of another date, the folder's name."""
    shutil.copytree(delivery, to)
    manifest = json.loads((to / "manifest.json").read_text())
    (to / "manifest.json").write_text(json.dumps(manifest | {"extract_date": to.name}))


def test_a_damaged_extract_is_refused_whole_and_the_last_one_stands(small, tmp_path):
    data, landing, _ = small
    late = landing / "deaths" / "2026-11-01"
    _land_again(landing / "deaths" / "2026-10-31", late)
    extract = late / "deaths.csv"
    extract.write_bytes(extract.read_bytes()[: extract.stat().st_size // 2])
    done = boroughlink("run", "--data", data, fine=False)
    assert done.returncode == 1
    assert "deaths.csv" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    status = boroughlink("export", "clusters", "--data", data, "--out", tmp_path / "c.csv").stdout
    assert "rows written" in status
    assert b",deaths," in (tmp_path / "c.csv").read_bytes()


def test_an_extract_from_tomorrow_waits_and_is_said(borough, landed, tmp_path):
    mine = borough.copy(tmp_path / "mine")
    _land_again(landed / "landing" / "deaths" / "2026-10-31", tmp_path / "landing" / "deaths" / "2026-11-30")
    done = boroughlink("run", "--data", mine.data, "--landing", tmp_path / "landing")
    assert "waits" in done.stdout


def test_a_wrong_folder_or_contract_is_one_sentence(tmp_path):
    done = boroughlink("run", "--data", tmp_path / "d", "--landing", tmp_path / "none", fine=False)
    assert (done.returncode, "is not there" in done.stderr) == (1, True)
    (tmp_path / "sources" / "x").mkdir(parents=True)
    (tmp_path / "sources" / "x" / "contract.yaml").write_text("name: x\ntables: 5\n")
    done = boroughlink("run", "--data", tmp_path / "d", "--sources", tmp_path / "sources", fine=False)
    assert done.returncode == 1
    assert "contract.yaml" in done.stderr
    assert "line" in done.stderr


def test_a_wrong_selection_or_path_is_one_sentence(landed, tmp_path):
    for wrong in ("group:nope", "key:(("):
        done = boroughlink(
            "run", "--data", tmp_path / "d", "--landing", landed / "landing", "--select", wrong, fine=False
        )
        assert (done.returncode, "names no asset" in done.stderr) == (1, True)
    for wrong in ("why?", "a%20b"):
        done = boroughlink("run", "--data", tmp_path / wrong, "--landing", landed / "landing", fine=False)
        assert (done.returncode, "neither ? nor %" in done.stderr) == (1, True)
    (tmp_path / "file").write_text("")
    done = boroughlink("run", "--data", tmp_path / "file", "--landing", landed / "landing", fine=False)
    assert (done.returncode, "File exists" in done.stderr) == (1, True)


def test_a_damaged_history_is_one_sentence(borough, tmp_path):
    mine = borough.copy(tmp_path / "mine")
    for path in (mine.data / ".dagster" / "history").rglob("*.db"):
        path.write_bytes(b"x" * 5000)
    done = boroughlink("run", "--data", mine.data, "--force", fine=False)
    assert (done.returncode, "Dagster's history" in done.stderr) == (1, True)


def test_what_is_explained_is_audited_and_no_key_or_name_stands_there(borough, tmp_path):
    mine = borough.copy(tmp_path / "mine")
    boroughlink("export", "clusters", "--data", mine.data, "--out", tmp_path / "c.csv")
    rows = [line.split(",") for line in (tmp_path / "c.csv").read_text().splitlines() if line.startswith("housing:")]
    (left, _, _, person, _), (right, *_) = [row for row in rows if row[-1] != "nobody"][:2]
    assert "on average" in " ".join(boroughlink("explain", left, right, "--data", mine.data).stdout.split())
    for named in (person, left):
        assert f"the person {person} has" in boroughlink("explain", named, "--data", mine.data).stdout
    for wrong in (("housing:O'Canary", "council_tax:1"), ("O'Canary",)):
        done = boroughlink("explain", *wrong, "--data", mine.data, fine=False)
        assert (done.returncode, "Canary" in done.stderr) == (1, False)
    said = [row[3] for row in _table(mine.data, "audit")]
    assert said[-3:] == ["pair explained", "person explained", "person explained"]
    held = b"".join(path.read_bytes() for path in mine.data.glob("operations.sqlite*"))
    assert not [text for text in ("O'Canary", left, right, left.split(":")[1]) if text.encode() in held]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Place.of(tmp_path_factory.mktemp("sensor") / "data")


def test_the_landing_sensor_starts_the_job_once_a_delivery_is_whole(place, landed):
    definitions = build_definitions(place)
    sensor = definitions.resolve_sensor_def("landing")
    place.folder.make()
    with dg.instance_for_test() as instance:
        assert _asked(sensor, instance) == []
        shutil.copytree(landed / "landing" / "deaths", place.folder.landing / "deaths")
        (manifest,) = place.folder.landing.rglob("manifest.json")
        manifest.rename(manifest.with_name("later"))
        assert _asked(sensor, instance) == []
        manifest.with_name("later").rename(manifest)
        (request,) = _asked(sensor, instance)
        assert request.run_key
        lock = hold_lock(place.folder, "ann")
        assert _asked(sensor, instance) == []
        lock.close()


def _asked(sensor, instance):
    context = dg.build_sensor_context(instance=instance)
    return list(sensor.evaluate_tick(context).run_requests)


def test_the_nightly_schedule_keeps_the_councils_time(place):
    schedule = build_definitions(place).resolve_schedule_def("nightly")
    assert schedule.execution_timezone == "Europe/London"
    assert schedule.cron_schedule == "30 2 * * *"
    assert schedule.job_name == "boroughlink"


def test_a_run_that_the_app_starts_stands_in_dagsters_history_and_one_that_it_stops_leaves_nothing(small):
    """The app's run is the job itself: its steps and the person's name on Dagster's pages, stopped as stopped."""
    folder = DataFolder.at(small[0])
    before = Current.read(folder)

    def ended(stop_it):
        assert start(folder, "Ada Analyst", preview=False, force=True) is None
        patience = time.monotonic() + 120
        while started(folder).going and time.monotonic() < patience:
            if stop_it and started(folder).steps:
                stop(folder)
                stop_it = False
            time.sleep(0.05)
        with dg.DagsterInstance.from_config(str(folder.dagster)) as instance:
            run = instance.get_runs(limit=1)[0]
            assert run.tags[STARTED_BY_TAG].startswith("Ada Analyst, by ")
            return run.status, [event.step_key for event in instance.all_logs(run.run_id) if event.step_key]

    status, _ = ended(stop_it=True)
    assert status == dg.DagsterRunStatus.CANCELED and Current.read(folder) == before
    assert started(folder).said[-1].endswith("Stopped. The last good state stays; run again when you like.")
    status, steps = ended(stop_it=False)
    assert status == dg.DagsterRunStatus.SUCCESS and "published" in steps and Current.read(folder) != before
