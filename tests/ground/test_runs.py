import fcntl
import hashlib
import multiprocessing
import os
import signal
import stat
import sys
import threading
from contextlib import suppress
from types import SimpleNamespace

import dagster as dg
import duckdb
import pytest
import sqlalchemy as sa

from boroughlink.cli import main
from pipelines.assets import RunHandle, run_step
from pipelines.commit_point import Current, RunUnderWay, run_under_way
from pipelines.faults import BoroughlinkError
from pipelines.keys.keyring import STANDING_KEYS, open_keyring
from pipelines.operations import Operations, opened_store
from pipelines.runs import Run
from pipelines.settings import DataFolder, Settings
from pipelines.snapshots import NothingPublished, open_snapshot
from pipelines.stopping import listening, stop_asked
from pipelines.store_tables import audit_table


@pytest.fixture
def folder(tmp_path):
    return DataFolder.at(tmp_path / "data")


def work(run, value, publish=True):
    with run.timed("work"), run.warehouse(("identity", "attributes", "published")) as wh:
        wh.table("identity.facts.thing", "SELECT ? AS value", [value])
        wh.table("attributes.risk.thing", "SELECT ? AS value", [value])
        wh.table("published.meta.thing", "SELECT ? AS value", [value])
    if publish:
        run.publish_with("mark")


def published(folder):
    with open_snapshot(folder) as (wh, _):
        return wh.scalar("SELECT value FROM published.meta.thing")


def runs(folder):
    operations = Operations.open(folder, open_keyring(folder, Settings(), STANDING_KEYS))
    found = operations.runs()
    operations.close()
    return found


def states(folder):
    return [run["state"] for run in runs(folder)]


def audited(folder):
    """(event, object) of every entry."""
    operations = Operations.open(folder, open_keyring(folder, Settings(), STANDING_KEYS))
    with operations.begin() as db:
        found = [tuple(row) for row in db.execute(sa.select(audit_table.c.event, audit_table.c.object))]
    operations.close()
    return found


def test_nothing_is_published_at_first(folder):
    folder.make()
    with pytest.raises(NothingPublished, match="boroughlink run"), open_snapshot(folder):
        pass


def test_a_run_becomes_real_when_current_moves(folder):
    run = Run.begin(folder)
    work(run, "one")
    assert Current.read(folder) == Current(None, None)
    run.commit()
    assert Current.read(folder) == Current(run.run_id, run.run_id)
    assert published(folder) == "one"
    assert states(folder) == ["committed"]
    assert not list(folder.work.iterdir())


def test_an_abandoned_run_leaves_the_last_state(folder):
    run = Run.begin(folder)
    work(run, "one")
    run.commit()
    second = Run.begin(folder)
    work(second, "two")
    second.abandon("a step failed")
    assert published(folder) == "one"
    third = Run.begin(folder)
    with third.warehouse(("identity",)) as wh:
        assert wh.scalar("SELECT value FROM identity.facts.thing") == "one"
    third.abandon("done looking")


def test_part_of_the_graph_keeps_state_but_not_the_readers_snapshot(folder):
    run = Run.begin(folder)
    work(run, "one")
    run.commit()
    part = Run.begin(folder)
    work(part, "two", publish=False)
    part.commit()
    assert Current.read(folder) == Current(run.run_id, part.run_id)
    assert published(folder) == "one"


def test_one_run_at_a_time_and_readers_meanwhile(folder):
    first = Run.begin(folder)
    work(first, "one")
    first.commit()
    second = Run.begin(folder, "ann")
    assert run_under_way(folder)
    with pytest.raises(RunUnderWay, match="by ann"):
        Run.begin(folder)
    assert published(folder) == "one"
    second.abandon("enough")
    assert not run_under_way(folder)


def test_who_only_asks_whether_a_run_is_under_way_hinders_none(folder):
    folder.make()
    asking = folder.lock.open("a+")
    fcntl.flock(asking, fcntl.LOCK_SH)
    threading.Timer(0.2, asking.close).start()
    Run.begin(folder).abandon("enough")


def test_old_snapshots_go_and_the_last_three_stay(folder):
    for value in "abcde":
        run = Run.begin(folder)
        work(run, value)
        run.commit()
    assert len([p for p in folder.published.iterdir() if p.is_dir()]) == 3
    assert published(folder) == "e"


def test_everything_is_private(folder):
    run = Run.begin(folder)
    work(run, "one")
    run.commit()
    loose = [p for p in folder.root.rglob("*") if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert loose == []


def test_inbox_files_go_after_the_commit_only_and_only_as_they_were_taken(folder):
    folder.make()
    place, outside = folder.landing / "x" / "2026-10-31", folder.root.parent / "b.csv"
    place.mkdir(parents=True)
    taken, rewritten, manifest = place / "a.csv", place / "c.csv", place / "manifest.json"
    for path in (taken, rewritten, manifest, outside):
        path.write_text("a")
    run = Run.begin(folder)
    work(run, "one")
    run.consume([taken, rewritten, manifest, outside], [hashlib.sha256(b"a").hexdigest()])
    assert taken.exists()
    rewritten.write_text("came later")
    run.commit()
    assert not taken.exists()
    assert rewritten.exists() and manifest.exists() and outside.exists()
    second = Run.begin(folder)
    work(second, "two")
    second.consume([rewritten, manifest], [hashlib.sha256(b"came later").hexdigest()])
    second.commit()
    assert list(folder.landing.iterdir()) == []


def test_a_damaged_current_is_said(folder):
    folder.make()
    folder.current.write_text("{")
    with pytest.raises(BoroughlinkError, match="damaged"):
        Current.read(folder)


def test_a_lost_identity_file_is_no_empty_borough(folder):
    run = Run.begin(folder)
    work(run, "one")
    run.commit()
    folder.identity.unlink()
    with pytest.raises(BoroughlinkError, match=r"identity\.duckdb is missing"):
        Run.begin(folder)
    assert published(folder) == "one"
    assert not run_under_way(folder)


def test_what_could_not_begin_is_asked_once(folder, monkeypatch):
    asked = []

    def begin(*_args):
        asked.append(1)
        raise RunUnderWay("A run is under way.")

    monkeypatch.setattr(Run, "begin", begin)
    handle = RunHandle(folder, lambda run: None, folder.landing, "ann")
    for _ in range(2):
        with pytest.raises(RunUnderWay):
            _ = handle.run
    assert asked == [1]


def test_a_full_disk_is_one_sentence(folder, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    run = Run.begin(folder)
    work(run, "one")
    run.commit()
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(BoroughlinkError, match="No space left"):
        Run.begin(folder)
    monkeypatch.undo()
    assert published(folder) == "one"
    assert not run_under_way(folder)


#: processes without threads of DuckDB's, forked from one that has imported this file
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload([__name__])
PLACES = ["pipelines.runs.write_atomically", "pipelines.runs.finish", "pipelines.commit_point.shutil.rmtree"]


def _killed(root, place, call):
    """Run to a commit and die at the nth call of a function on its way."""
    import importlib

    module, _, name = place.rpartition(".")
    owner = importlib.import_module(module) if "shutil" not in module else __import__("shutil")
    real, calls = getattr(owner, name), 0

    def dying(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    run = Run.begin(DataFolder.at(root))
    work(run, "two")
    setattr(owner, name, dying)
    run.commit()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_kill_on_the_way_to_the_commit_leaves_a_whole_state(folder, place, call):
    run = Run.begin(folder)
    work(run, "one")
    run.commit()
    process = FRESH.Process(target=_killed, args=(str(folder.root), place, call))
    process.start()
    process.join(60)
    assert process.exitcode in (-signal.SIGKILL, 0)
    value = published(folder)
    assert value in ("one", "two")
    healed = Run.begin(folder)
    with healed.warehouse(("identity", "attributes")) as wh:
        assert wh.scalar("SELECT value FROM identity.facts.thing") == value
        assert wh.scalar("SELECT value FROM attributes.risk.thing") == value
    healed.abandon("looked")
    ends = [(event, what) for event, what in audited(folder) if event.startswith("run ")]
    told = {"committed": "run committed", "abandoned": "run abandoned"}
    assert sorted(ends) == sorted((told[run["state"]], run["run_id"]) for run in runs(folder))
    assert published(folder) == value
    assert len([p for p in folder.published.iterdir() if p.is_dir()]) == (2 if value == "two" else 1)


@pytest.fixture
def _can_be_stopped():
    """A suite that was started in the background ignores the key that stops it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_can_be_stopped")
def test_a_run_that_is_stopped_is_thrown_away(folder):
    """In a step, where the step knows of it, within a statement or not, and between two, where only what is missing
    tells."""

    def interrupted():  # a library that is asked to stop in the middle of a statement calls it its own error
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        raise duckdb.BinderException("half a statement")

    def stopped():
        raise KeyboardInterrupt

    for whole, stop in ((False, stopped), (False, interrupted), (True, lambda: None)):
        handle = RunHandle(folder, lambda run: None, folder.landing, "ann", whole=whole)
        context = SimpleNamespace(resources=SimpleNamespace(borough=handle))
        with listening(), suppress(KeyboardInterrupt), run_step(context, "staged/one", ("identity",)) as step:
            step.wh.execute("CREATE SCHEMA IF NOT EXISTS identity.half")
            stop()
        assert stop_asked() == (stop is interrupted)
        handle.close()
        assert "stopped" in handle.failed and Current.read(folder).state is None and not folder.identity.exists()


def test_what_a_run_refuses_stands_in_the_audit(folder, monkeypatch, capsys):
    with opened_store(folder.make()) as store:
        store.add_decisions([{"kind": "must_link", "record_l": "a", "record_r": "b"}], "ann", "1")
        with store.begin() as db:
            db.exec_driver_sql("DROP TRIGGER decision_no_update")
            db.exec_driver_sql("UPDATE decision SET kind = 'cannot_link'")
    handle = RunHandle(folder, lambda run: None, folder.landing, "ann")
    with (
        pytest.raises(dg.Failure),
        run_step(SimpleNamespace(resources=SimpleNamespace(borough=handle)), "x", ()) as step,
    ):
        step.run.operations.decisions()
    handle.close()
    assert "refused" in [event for event, _ in audited(folder)] and "table `decision`, row 1" in handle.failed
    (folder.landing / "council_tax" / "2026-11-01").mkdir(parents=True)  # of which nobody has said whether it is real
    monkeypatch.setattr(sys, "argv", ["boroughlink", "run", "--data", str(folder.root)])
    with pytest.raises(SystemExit):
        main()
    assert "nobody has said whether these people are real" in capsys.readouterr().err
    assert [event for event, _ in audited(folder)].count("refused") == 2
