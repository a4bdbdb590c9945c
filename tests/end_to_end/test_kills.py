"""A kill at any moment leaves a whole state, loses no decision that was acknowledged, and running again heals it."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing

import pytest

from tests.end_to_end.conftest import COMMAND, boroughlink, environment

BATCH = 3
#: Somebody decides without a pause, in a process of its own: a batch is acknowledged by its name, once it is durable.
DECIDING = textwrap.dedent(
    f"""
    import secrets, sys
    from pipelines.governance import audit
    from pipelines.keys.keyring import STORE, open_keyring
    from pipelines.operations import Operations
    from pipelines.settings import DataFolder, load_settings

    folder, records = DataFolder.at(sys.argv[1]), sys.argv[2:]
    operations = Operations.open(folder, open_keyring(folder, load_settings(folder), STORE))
    while True:
        batch = secrets.token_hex(8)
        pairs = zip(records[:{BATCH}], records[{BATCH}:])
        operations.add_decisions([dict(kind="unsure", record_l=l, record_r=r) for l, r in pairs], "ann", batch)
        audit.record(operations, "ann", "decisions imported", batch, decisions={BATCH})
        print(batch, flush=True)
    """
)


def state(data):
    """What a reader sees: the published run's clusters, or nothing."""
    out = data.parent / "seen.csv"
    done = boroughlink("export", "clusters", "--data", data, "--out", out, fine=False)
    return out.read_bytes() if done.returncode == 0 else None


def killed_at(data, places, seconds, deciding_about=()):
    """Start a run, and with records somebody who decides about them beside it, and kill both after a while.

    Gives whether the run was still going, and the batches of decisions that were acknowledged.
    """
    given = {"env": environment(data.parent / "left"), "stderr": subprocess.DEVNULL, "start_new_session": True}
    run = subprocess.Popen(
        [*COMMAND, "run", "--data", str(data), *map(str, places), "--force"], stdout=subprocess.DEVNULL, **given
    )
    decider = None
    if deciding_about:
        command = [sys.executable, "-c", DECIDING, str(data), *deciding_about]
        decider = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **given)
    time.sleep(seconds)
    going = run.poll() is None
    said = []
    if decider:
        assert decider.poll() is None, "nobody could decide while the run was going"
        os.killpg(decider.pid, signal.SIGKILL)
    if going:
        os.killpg(run.pid, signal.SIGKILL)
    run.wait(60)
    if decider:
        said = [line.strip() for line in decider.stdout if line.endswith("\n")]
        decider.wait(60)
    return going, said


def no_decision_is_lost_or_halved(data, acknowledged):
    """Every acknowledged batch is in the store whole; what was cut off is there whole or not at all."""
    with closing(sqlite3.connect(data / "operations.sqlite")) as db:
        held = dict(db.execute("SELECT batch, count(*) FROM decision GROUP BY batch").fetchall())
    assert set(held.values()) <= {BATCH}
    assert acknowledged <= set(held)


def kills_leave_whole_states(places, tmp_path, times):
    data, rng = tmp_path / "data", random.Random(11)
    boroughlink("status", "--data", data, fine=False)
    began = time.perf_counter()
    boroughlink("run", "--data", data, *places, before=())  # started as those that are killed: as long as they take
    length = time.perf_counter() - began
    whole = state(data)
    assert whole
    records = [line.split(b",")[0].decode() for line in whole.splitlines()[1 : 2 * BATCH + 1]]
    fresh, acknowledged = tmp_path / "fresh", set()
    for number in range(times):
        target = fresh / str(number) if number % 2 else data
        before = state(target) if target.exists() else None
        wait = rng.uniform(0.3, length * 0.98)
        while True:
            going, said = killed_at(target, places, wait, records if target == data else ())
            acknowledged |= set(said)
            if going:
                break
            wait /= 2  # quicker than the first one was
        after = state(target)
        assert after in ((before, whole) if target == data else (None, after))
        boroughlink("run", "--data", target, *places, "--force")
        healed = state(target)
        assert healed and healed.count(b"\n") == whole.count(b"\n")
        if target == data:
            assert healed == whole
            no_decision_is_lost_or_halved(data, acknowledged)
        assert not list((target / "work").iterdir())
        assert "unbroken" in boroughlink("audit", "verify", "--data", target).stdout
    assert not (tmp_path / "left").exists()
    assert len(acknowledged) > times


def test_two_kills(few, tmp_path):
    kills_leave_whole_states(("--landing", few / "landing", "--sources", few / "sources"), tmp_path, 2)


@pytest.mark.prove
def test_twelve_kills_with_every_source(landed, tmp_path):
    kills_leave_whole_states(("--landing", landed / "landing"), tmp_path, 12)


@pytest.mark.prove
def test_thirty_eight_kills_more(few, tmp_path):
    """With the twelve above fifty; four sources only, so that more of them fall into the last moments of a run."""
    kills_leave_whole_states(("--landing", few / "landing", "--sources", few / "sources"), tmp_path, 38)
