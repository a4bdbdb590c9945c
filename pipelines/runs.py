"""One run: the lock, the work copies, the commit point, and healing after a kill.

A run works on copies (`work/<run>/`) of the two warehouse files, so whatever kills it leaves the last good state as it
was. It becomes real in one atomic step: the file `published/CURRENT` moves. Everything after that step is repeated by
the next start if it was cut off; everything before it is thrown away.
"""

import fcntl
import getpass
import hashlib
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from pipelines import warehouse
from pipelines.governance import audit
from pipelines.governance.keys import Keyring, open_keyring
from pipelines.operations import Operations
from pipelines.settings import BoroughlinkError, DataFolder, Settings, flush_folder, load_settings, now, write_atomically
from pipelines.warehouse import Warehouse

ZONE_FILES = ("identity", "attributes")
KEPT_SNAPSHOTS = 3


class RunUnderWay(BoroughlinkError):
    """Another run holds the data folder."""


class NothingPublished(BoroughlinkError):
    """No run has been published yet."""


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
        except (ValueError, KeyError, TypeError):
            raise BoroughlinkError(f"{folder.current} is damaged: restore the data folder from its backup.") from None


@dataclass
class StepTiming:
    """Wall and CPU seconds of one step, and the highest memory of the process while it ran (bytes)."""

    step: str
    seconds: float
    cpu_seconds: float
    peak_memory: int


@dataclass
class Run:
    """A run under way. Make it with `Run.begin`; leave it with `commit` or `abandon`."""

    run_id: str
    folder: DataFolder
    settings: Settings
    keyring: Keyring
    operations: Operations
    started_by: str
    work: Path
    lock: IO[str]
    timings: list[StepTiming] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    over: bool = False

    @classmethod
    def begin(cls, folder: DataFolder, started_by: str | None = None) -> "Run":
        """Take the lock, heal what a kill left, copy the state, note the start.

        Raises RunUnderWay if another process runs on this folder.
        """
        folder.make()
        lock = hold_lock(folder, started_by or person())
        try:
            settings = load_settings(folder)
            keyring = open_keyring(folder, settings)
            operations = Operations.open(folder, keyring)
            recover(folder, operations)
            run_id = f"{now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
            work = folder.work / run_id
            (work / "published").mkdir(parents=True)
            for zone in ZONE_FILES:
                existing = getattr(folder, zone)
                if existing.exists():
                    shutil.copyfile(existing, work / existing.name)
            run = cls(run_id, folder, settings, keyring, operations, started_by or person(), work, lock)
            operations.start_run(run_id, run.started_by)
        except OSError as fault:
            lock.close()
            raise BoroughlinkError(f"The run could not start: {os.strerror(fault.errno or 0)} in {folder.root}.") from None
        except BaseException:
            lock.close()
            raise
        return run

    @contextmanager
    def warehouse(self, zones: Sequence[str], read: Sequence[Path] = ()) -> Iterator[Warehouse]:
        """The work copies of the named zones, in a locked sandbox; `read` names further folders (the landing).

        Checkpointed and closed on leaving, whatever happens.
        """
        con = warehouse.connect(
            self.folder.temp, (self.work, *read), self.settings.memory_limit, self.settings.threads
        )
        try:
            for zone in zones:
                warehouse.attach(con, zone, self.zone_file(zone), self.keyring.key(zone))
            warehouse.lock_configuration(con)
            wh = Warehouse(con, self.run_id, self.settings.today(), self.work)
            yield wh
            for zone in zones:
                wh.execute(f"CHECKPOINT {zone}")
        finally:
            con.close()

    def zone_file(self, zone: str) -> Path:
        return self.work / "published" / "snapshot.duckdb" if zone == "published" else self.work / f"{zone}.duckdb"

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Note time and peak memory of a step."""
        with MemoryWatch() as watch:
            wall, cpu = time.perf_counter(), time.process_time()
            try:
                yield
            finally:
                spent = time.perf_counter() - wall, time.process_time() - cpu
        self.timings.append(StepTiming(step, spent[0], spent[1], watch.peak))

    def commit(self, publish: bool, input_mark: str | None = None) -> None:
        """Make the run real: `CURRENT` moves, then the work files take their places."""
        self._ensure_going()
        before = Current.read(self.folder)
        snapshot = self.work / "published"
        if publish:
            if not (snapshot / "snapshot.duckdb").exists():
                raise BoroughlinkError("This run made no snapshot to publish.")
            write_atomically(snapshot / "run.json", json.dumps(self.summary(), indent=1, sort_keys=True).encode())
        for path in sorted(self.work.rglob("*")):
            if path.is_file():
                _flush_file(path)
        if publish:
            snapshot.replace(self.folder.published / self.run_id)
            flush_folder(self.folder.published)
        current = {"published": self.run_id if publish else before.published, "state": self.run_id}
        self.operations.end_run(self.run_id, "committing", publish, input_mark, self.summary())
        write_atomically(self.folder.current, json.dumps(current).encode())
        self.over = True
        finish(self.folder, self.operations, self.run_id)
        for act in self.after_commit:
            act()
        audit.record(self.operations, self.started_by, "run committed", self.run_id, published=publish)
        self._release()

    def abandon(self, why: str) -> None:
        """Throw the work away; the last good state stays."""
        if self.over:
            return
        self.over = True
        shutil.rmtree(self.work, ignore_errors=True)
        self.operations.end_run(self.run_id, "abandoned", False, None, self.summary() | {"why": why})
        audit.record(self.operations, self.started_by, "run abandoned", self.run_id, why=why)
        self._release()

    def summary(self) -> dict[str, Any]:
        """Counts and timings of the run, no personal value."""
        return {
            "run_id": self.run_id,
            "started_by": self.started_by,
            "timings": [vars(timing) for timing in self.timings],
            "notes": self.notes,
        }

    def _ensure_going(self) -> None:
        if self.over:
            raise BoroughlinkError(f"Run {self.run_id} is over.")

    def _release(self) -> None:
        self.operations.close()
        self.lock.close()


def hold_lock(folder: DataFolder, who: str) -> IO[str]:
    """Take the folder's OS lock, held until the handle closes or the process ends; raises RunUnderWay."""
    handle = folder.lock.open("a+", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        holder = handle.read().strip() or "another process"
        handle.close()
        raise RunUnderWay(f"A run is under way on {folder.root} ({holder}). Wait for it, then try again.") from None
    handle.truncate(0)
    handle.write(f"started {now():%Y-%m-%d %H:%M:%S} UTC by {who}, process {os.getpid()}")
    handle.flush()
    return handle


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
                run["run_id"], "committed" if real else "abandoned", bool(run["published"]) and real,
                run["input_mark"], json.loads(run["summary"] or "{}") | ({} if real else {"why": "cut off"}),
            )
    real_runs = {run["run_id"] for run in operations.runs("committed")} | {current.published, current.state}
    for snapshot in folder.published.iterdir():
        if snapshot.is_dir() and snapshot.name not in real_runs:
            shutil.rmtree(snapshot)


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
    consumed = work / "consumed.json"
    if consumed.exists():
        for name in json.loads(consumed.read_text()):
            path = Path(name)
            if folder.landing in path.parents:
                path.unlink(missing_ok=True)
        for emptied in sorted(folder.landing.rglob("*"), key=lambda p: -len(p.parts)):
            if emptied.is_dir() and not any(emptied.iterdir()):
                emptied.rmdir()
    shutil.rmtree(work)
    for run in operations.runs("committing"):
        if run["run_id"] == run_id:
            operations.end_run(run_id, "committed", bool(run["published"]), run["input_mark"], json.loads(run["summary"] or "{}"))
    current = Current.read(folder)
    kept = [run["run_id"] for run in operations.runs("committed") if run["published"]][:KEPT_SNAPSHOTS]
    for snapshot in folder.published.iterdir():
        if snapshot.is_dir() and snapshot.name not in kept and snapshot.name != current.published:
            shutil.rmtree(snapshot)


@contextmanager
def open_snapshot(folder: DataFolder, run_id: str | None = None) -> Iterator[tuple[Warehouse, Path]]:
    """The published snapshot, read-only: what every reading command and the review app see.

    Raises NothingPublished when there is none.
    """
    current = Current.read(folder)
    named = run_id or current.published
    if named is None or not (folder.published / named / "snapshot.duckdb").exists():
        raise NothingPublished(f"Nothing is published in {folder.root} yet: `boroughlink run` comes first.")
    settings = load_settings(folder)
    keyring = open_keyring(folder, settings, ("published",))
    con = warehouse.connect(folder.temp, (folder.published / named,), settings.memory_limit, 1)
    try:
        warehouse.attach(con, "published", folder.published / named / "snapshot.duckdb", keyring.key("published"), read_only=True)
        warehouse.lock_configuration(con)
        wh = Warehouse(con, named, settings.today(), folder.published / named)
        mixed = wh.rows("SELECT DISTINCT run_id FROM published.meta.relation WHERE run_id <> ?", [named])
        if mixed:
            raise BoroughlinkError(f"The snapshot of {named} holds tables of another run: run again.")
        yield wh, folder.published / named
    finally:
        con.close()


def input_mark(folder: DataFolder, sources: Path, deliveries: Sequence[str], operations: Operations) -> str:
    """A mark of all that a run's result follows from: extracts, contracts, code, settings, decisions."""
    mark = hashlib.sha256()
    for sha in sorted(deliveries):
        mark.update(sha.encode())
    root = Path(__file__).resolve().parent.parent
    code = [p for room in ("pipelines", "linkage_models", "quality_checks") for p in (root / room).rglob("*")]
    for path in sorted({*code, *sources.rglob("*"), folder.root / "boroughlink.yaml"}):
        if path.is_file() and path.suffix in {".py", ".sql", ".yaml", ".json"}:
            mark.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    last = max((decision["decision_id"] for decision in operations.decisions()), default=0)
    mark.update(str(last).encode())
    return mark.hexdigest()


def person() -> str:
    """Who runs this process, by the name the operating system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


class MemoryWatch:
    """The highest resident memory of this process while the block runs, sampled twenty times a second."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            self.peak = max(self.peak, process.memory_info().rss)
            if self._stop.wait(0.05):
                self.peak = max(self.peak, process.memory_info().rss)
                return


def _flush_file(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
