"""The commit point of a data folder: the lock, what `published/CURRENT` says, and healing after a kill.

Everything before `CURRENT` moves is thrown away by the next start; everything after it is completed by the next start.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipelines import inbox
from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.governance.actors import person
from pipelines.keys.keyring import LINKING
from pipelines.operations import Operations, opened_store
from pipelines.settings import DataFolder, now

ZONE_FILES = ("identity", "attributes")
KEPT_SNAPSHOTS = 3
#: How the audit says that a run ended, by its state.
RUN_ENDED = {"committed": "run committed", "abandoned": "run abandoned"}
#: Seconds a run asks again for the lock: whoever only asks whether a run is under way holds it for an instant.
LOCK_PATIENCE = 1.0


class RunUnderWay(BoroughlinkError):
    """Another run holds the data folder."""


@dataclass(frozen=True)
class Current:
    """What `published/CURRENT` says: the run whose snapshot readers open, and the run whose state the files hold."""

    published: str | None
    state: str | None

    @classmethod
    def read(cls, folder: DataFolder) -> "Current":
        try:
            said = json.loads(folder.current.read_text())
            return cls(said["published"], said["state"])
        except FileNotFoundError:
            return cls(None, None)
        except (OSError, ValueError, KeyError, TypeError):
            raise BoroughlinkError(f"{folder.current} is damaged: restore the data folder from its backup.") from None


def hold_lock(folder: DataFolder, who: str) -> IO[str]:
    """Take the folder's OS lock, held until the handle closes or the process ends; raises RunUnderWay."""
    handle = folder.lock.open("a+", encoding="utf-8")
    patience = time.monotonic() + LOCK_PATIENCE
    while not _locked(handle):
        if time.monotonic() > patience:
            handle.seek(0)
            holder = handle.read().strip() or "another process"
            handle.close()
            raise RunUnderWay(f"A run is under way on {folder.root} ({holder}). Wait for it, then try again.")
        time.sleep(0.02)
    handle.truncate(0)
    handle.write(f"started {now():%Y-%m-%d %H:%M:%S} UTC by {who}, process {os.getpid()}")
    handle.flush()
    return handle


def _locked(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def run_under_way(folder: DataFolder) -> bool:
    """Whether another process holds the folder's lock at this moment."""
    if not folder.lock.exists():
        return False
    with folder.lock.open("r", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextmanager
def alone_with(folder: DataFolder, what: str, keys: Sequence[str] = LINKING) -> Iterator[Operations]:
    """The store of a folder whose lock is held as a run holds it, with what a kill left behind healed.

    Raises RunUnderWay.
    """
    with closing(hold_lock(folder, f"{person()}, {what}")), opened_store(folder, keys) as operations:
        recover(folder, operations)
        yield operations


def recover(folder: DataFolder, operations: Operations) -> None:
    """Heal what a kill left: complete the run that CURRENT names, roll every other one back. The lock must be held."""
    current = Current.read(folder)
    if current.state and (folder.work / current.state).exists():
        finish(folder, operations, current.state)
    for leftover in sorted(folder.work.iterdir()):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    for leftover in folder.temp.iterdir():
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    for run in operations.runs():
        if run["state"] in ("running", "committing"):
            real = run["run_id"] == current.state
            operations.end_run(
                run["run_id"],
                "committed" if real else "abandoned",
                bool(run["published"]) and real,
                run["input_mark"],
                json.loads(run["summary"] or "{}") | ({} if real else {"why": "cut off"}),
            )
    _audit_healed(operations)
    real_runs = {run["run_id"] for run in operations.runs("committed")} | {current.published, current.state}
    for snapshot in folder.published.iterdir():
        if snapshot.is_dir() and snapshot.name not in real_runs:
            shutil.rmtree(snapshot)


def _audit_healed(operations: Operations) -> None:
    """Enter the ends of runs that a kill kept out of the audit."""
    told = audit.subjects(operations, RUN_ENDED.values())
    for run in reversed(operations.runs()):
        if run["run_id"] not in told and (event := RUN_ENDED.get(run["state"])):
            detail = {"published": run["published"]} if run["state"] == "committed" else {"why": "cut off"}
            audit.record(operations, run["started_by"], event, run["run_id"], healed_by_next_start=True, **detail)


def finish(folder: DataFolder, operations: Operations, run_id: str) -> None:
    """What follows the commit point; may be repeated after a kill."""
    work = folder.work / run_id
    for zone in ZONE_FILES:
        made = work / f"{zone}.duckdb"
        if made.exists():
            made.replace(getattr(folder, zone))
    for name, place in (("releases", folder.releases), ("exports", folder.exports), ("models", folder.models)):
        for made in sorted((work / name).rglob("*")) if (work / name).exists() else []:
            if made.is_file():
                target = place / made.relative_to(work / name)
                target.parent.mkdir(parents=True, exist_ok=True)
                made.replace(target)
    if (work / inbox.TAKEN).exists():
        (work / inbox.TAKEN).replace(folder.root / inbox.TAKEN)
    _empty_inbox(folder, work / "consumed.json")
    shutil.rmtree(work)
    for run in operations.runs("committing"):
        if run["run_id"] == run_id:
            operations.end_run(
                run_id, "committed", bool(run["published"]), run["input_mark"], json.loads(run["summary"] or "{}")
            )
    current = Current.read(folder)
    kept = [run["run_id"] for run in operations.runs("committed") if run["published"]][:KEPT_SNAPSHOTS]
    for snapshot in folder.published.iterdir():
        if snapshot.is_dir() and snapshot.name not in kept and snapshot.name != current.published:
            shutil.rmtree(snapshot)


def _empty_inbox(folder: DataFolder, note: Path) -> None:
    """Remove what was taken in from the folder's own inbox, file by file, if it is still what was taken in.

    What can't be removed (a sender's own folder, a link) stays: it is archived, and no reason to hold up the commit.
    """
    if not note.exists():
        return
    consumed = json.loads(note.read_text())
    hashes = set(consumed["hashes"])
    inside = [path for path in map(Path, consumed["paths"]) if folder.landing in path.parents and path.is_file()]
    for path in inside:
        with suppress(OSError):
            if path.name != inbox.MANIFEST and _sha256(path) in hashes:
                path.unlink()
    for path in inside:
        with suppress(OSError):
            if path.name == inbox.MANIFEST and not any(
                other.is_file() for other in path.parent.iterdir() if other != path
            ):
                path.unlink()
    for emptied in sorted(folder.landing.rglob("*"), key=lambda path: -len(path.parts)):
        with suppress(OSError):  # not empty, or a link
            if emptied.is_dir():
                emptied.rmdir()


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
