"""A kill at any moment leaves a whole state, and running again heals it."""

import os
import random
import signal
import subprocess
import time

import pytest

from tests.end_to_end.conftest import COMMAND, boroughlink


def state(data):
    """What a reader sees: the published run's clusters, or nothing."""
    out = data.parent / "seen.csv"
    done = boroughlink("export", "clusters", "--data", data, "--out", out, fine=False)
    return out.read_bytes() if done.returncode == 0 else None


def killed_at(data, places, seconds):
    """Start a run and kill its whole process group after a while; True if it was still going."""
    process = subprocess.Popen(
        [*COMMAND, "run", "--data", str(data), *map(str, places), "--force"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds)
    going = process.poll() is None
    if going:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)
    return going


def kills_leave_whole_states(places, tmp_path, times):
    data, rng = tmp_path / "data", random.Random(11)
    boroughlink("status", "--data", data, fine=False)
    began = time.perf_counter()
    boroughlink("run", "--data", data, *places)
    length = time.perf_counter() - began
    whole = state(data)
    assert whole
    fresh = tmp_path / "fresh"
    for number in range(times):
        target = fresh / str(number) if number % 2 else data
        before = state(target) if target.exists() else None
        wait = rng.uniform(0.3, length * 0.98)
        while not killed_at(target, places, wait):  # quicker than the first one was
            wait /= 2
        after = state(target)
        assert after in ((before, whole) if target == data else (None, after))
        boroughlink("run", "--data", target, *places, "--force")
        healed = state(target)
        assert healed and healed.count(b"\n") == whole.count(b"\n")
        if target == data:
            assert healed == whole
        assert not list((target / "work").iterdir())
        assert "unbroken" in boroughlink("audit", "verify", "--data", target).stdout


def test_two_kills(few, tmp_path):
    kills_leave_whole_states(("--landing", few / "landing", "--sources", few / "sources"), tmp_path, 2)


@pytest.mark.prove
def test_twelve_kills(landed, tmp_path):
    kills_leave_whole_states(("--landing", landed / "landing"), tmp_path, 12)
