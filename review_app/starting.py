"""Starting, previewing and stopping a run: the `boroughlink` command as a child, its steps read from what it prints."""

import json
import re
import signal
import subprocess  # our own command, with fixed words
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from pipelines.commit_point import run_under_way
from pipelines.settings import DataFolder, now, write_atomically

COMMAND = Path(sys.executable).parent / "boroughlink"
_STEP = re.compile(r"^\s+([✓✗])\s+(\S+)\s+([\d.]+) s$")
#: Seconds that a comparison of two runs may take.
PATIENCE = 120


@dataclass(frozen=True)
class Started:
    """The run that the app started last: who asked, which kind, its steps so far, what it said at its end."""

    by: str
    kind: str
    at: str
    going: bool
    steps: list[tuple[str, bool, float]]
    said: list[str]

    @property
    def failed(self) -> list[str]:
        return [step for step, fine, _ in self.steps if not fine]


def start(folder: DataFolder, by: str, preview: bool, force: bool = False) -> str | None:
    """Start a run as a child; return why not, None if it began."""
    if run_under_way(folder) or ((last := started(folder)) and last.going):
        return "A run is under way already: wait for it, or stop it."
    words = [str(COMMAND), "run", "--data", str(folder.root)]
    words += ["--preview"] if preview else ["--on-behalf-of", by]
    words += ["--force"] if force and not preview else []
    with _log(folder).open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 - our own command, no shell, words of our own and a checked name
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            cwd=folder.root,
        )  # fmt: skip
    note = {
        "pid": child.pid,
        "born": psutil.Process(child.pid).create_time(),
        "by": by,
        "at": f"{now():%Y-%m-%d %H:%M}",
    }
    try:
        write_atomically(_note(folder), json.dumps(note | {"kind": "preview" if preview else "run"}).encode())
    except OSError:  # a run that the page knows nothing of could not be stopped from it
        child.send_signal(signal.SIGINT)
        return "The run was not started: its note can't be written. Is the disk full?"
    return None


def started(folder: DataFolder) -> Started | None:
    """The run that the app started last, None if it never did."""
    note = _read(folder)
    if note is None:
        return None
    lines = _log(folder).read_text(encoding="utf-8", errors="replace").splitlines() if _log(folder).exists() else []
    steps = [(found[2], found[1] == "✓", float(found[3])) for line in lines if (found := _STEP.match(line))]
    rest = [line for line in lines if line.strip() and not _STEP.match(line)]
    return Started(note["by"], note["kind"], note["at"], _process(note) is not None, steps, rest[-60:])


def stop(folder: DataFolder) -> bool:
    """Stop the child: what it built goes, the last good state was never touched."""
    note = _read(folder)
    process = _process(note) if note else None
    if process is None:
        return False
    process.send_signal(signal.SIGINT)
    return True


def difference(folder: DataFolder) -> dict[str, Any]:
    """What the last two published runs differ in, as `boroughlink diff --json` tells it; `said` alone if it can't."""
    words = [str(COMMAND), "diff", "--data", str(folder.root), "--json"]
    try:
        done = subprocess.run(words, capture_output=True, timeout=PATIENCE, check=False, text=True)  # noqa: S603
        if done.returncode == 0:
            return dict(json.loads(done.stdout))
        return {"said": [line for line in done.stderr.splitlines() if line.strip()][-3:]}
    except (OSError, ValueError, subprocess.SubprocessError):
        return {"said": ["The comparison did not come to an end: try `boroughlink diff` at the command line."]}


def _process(note: dict[str, Any]) -> psutil.Process | None:
    try:
        process = psutil.Process(note["pid"])
        same = abs(process.create_time() - note["born"]) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return None
    return process if same else None


def _read(folder: DataFolder) -> dict[str, Any] | None:
    try:
        return dict(json.loads(_note(folder).read_text()))
    except (OSError, ValueError):
        return None


def _note(folder: DataFolder) -> Path:
    return folder.dagster / "app-run.json"


def _log(folder: DataFolder) -> Path:
    return folder.dagster / "app-run.txt"
