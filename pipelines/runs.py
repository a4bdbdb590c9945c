"""One run: the lock, the work copies, the commit point, and healing after a kill.

A run works on copies (`work/<run>/`) of the two warehouse files, so whatever kills it leaves the last good state as it
was. It becomes real in one atomic step: the file `published/CURRENT` moves. Everything after that step is repeated by
the next start if it was cut off; everything before it is thrown away.
"""

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pipelines import inbox, warehouse
from pipelines.commit_point import RUN_ENDED, ZONE_FILES, Current, finish, hold_lock, recover
from pipelines.faults import BoroughlinkError
from pipelines.governance import anchors, audit, revealed
from pipelines.governance.actors import person
from pipelines.governance.fitness import require_fit
from pipelines.governance.opt_out import newest_list
from pipelines.keys.for_good import HOLDS_REAL
from pipelines.keys.keyring import LINKING, Keyring, open_keyring
from pipelines.operations import Operations
from pipelines.settings import (
    SETTINGS_FILE,
    DataFolder,
    Settings,
    flush_folder,
    load_settings,
    now,
    write_atomically,
)
from pipelines.timings import MemoryWatch, StepTiming
from pipelines.warehouse import Warehouse

#: Zones that are published with the run, and the keys of zones that have none of their own name.
PUBLISHED_FILES = {"published": "published/snapshot.duckdb", "tiers": "published/tiers.duckdb"}
ZONE_KEYS = {"tiers": "attributes"}


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
    old_sources: dict[str, str] = field(default_factory=dict)  # those that stand on an old extract, and how, in words
    taken: set[str] = field(default_factory=set)
    over: bool = False
    publishing: bool = False
    input_mark: str | None = None

    @classmethod
    def begin(cls, folder: DataFolder, started_by: str | None = None, keys: Sequence[str] = LINKING) -> "Run":
        """Take the lock, heal what a kill left, copy the state, note the start; with these keys and no others.

        Raises RunUnderWay if another process runs on this folder, Refusal where real data lacks a protection.
        """
        folder.make()
        lock = hold_lock(folder, started_by or person())
        try:
            settings = load_settings(folder)
            keyring = open_keyring(folder, settings, keys)
            require_fit(folder, settings)
            operations = Operations.open(folder, keyring)
            if settings.holds == "real" and not operations.first_of(HOLDS_REAL):
                audit.record(operations, started_by or person(), HOLDS_REAL, "folder")
            recover(folder, operations)
            revealed.sweep(folder)
            if Current.read(folder).published and not folder.identity.exists():
                raise BoroughlinkError(f"{folder.identity} is missing: restore the data folder from its backup.")
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
            raise BoroughlinkError(
                f"The run could not start: {os.strerror(fault.errno or 0)} in {folder.root}."
            ) from None
        except BaseException:
            lock.close()
            raise
        return run

    @classmethod
    @contextmanager
    def of_its_own(cls, folder: DataFolder, keys: Sequence[str] = LINKING) -> Iterator["Run"]:
        """A run for one act of a person: real once the block ends; whatever is raised inside leaves nothing of it."""
        run = cls.begin(folder, keys=keys)
        try:
            yield run
            run.commit()
        except BaseException as fault:
            run.abandon(str(fault) if isinstance(fault, BoroughlinkError) else type(fault).__name__)
            raise

    @contextmanager
    def warehouse(self, zones: Sequence[str], read: Sequence[Path] = ()) -> Iterator[Warehouse]:
        """The work copies of the named zones, in a locked sandbox; `read` names further folders (the landing).

        Checkpointed and closed on leaving, whatever happens.
        """
        files = {zone: (self.zone_file(zone), self.keyring.key(ZONE_KEYS.get(zone, zone))) for zone in zones}
        limits = (self.settings.memory_limit, self.settings.threads)
        with warehouse.opened(files, self.folder.temp, (self.work, *read), *limits) as con:
            wh = Warehouse(con, self.run_id, self.settings.today(), self.work)
            yield wh
            for zone in zones:
                wh.execute(f"CHECKPOINT {zone}")

    def zone_file(self, zone: str) -> Path:
        return self.work / PUBLISHED_FILES.get(zone, f"{zone}.duckdb")

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

    def consume(self, paths: Iterable[Path], hashes: Iterable[str]) -> None:
        """Name landed files that are taken in and archived: those of the folder's own inbox go after the commit.

        Only a file whose SHA-256 is among `hashes` goes, so that one written over meanwhile stays.
        """
        note = self.work / "consumed.json"
        known = json.loads(note.read_text()) if note.exists() else {"paths": [], "hashes": []}
        known["paths"] += [str(path) for path in paths]
        known["hashes"] += list(hashes)
        note.write_text(json.dumps(known))

    def publish_with(self, mark: str) -> None:
        """Say that the snapshot is whole: the commit will publish it. `mark` is what the result followed from."""
        self.publishing, self.input_mark = True, mark

    def commit(self) -> None:
        """Make the run real: `CURRENT` moves, then the work files take their places.

        Without a whole snapshot (a part of the graph was run) the state is kept and readers stay where they were.
        """
        self._ensure_going()
        publish = self.publishing
        before = Current.read(self.folder)
        snapshot = self.work / "published"
        taken = sorted(self.taken | inbox.taken(self.folder))
        write_atomically(self.work / inbox.TAKEN, json.dumps(taken).encode())
        if handed := sorted(path.name for path in (self.work / "exports").rglob("*") if path.is_file()):
            audit.record(self.operations, self.started_by, "exports written", self.run_id, files=handed)
        if publish:
            self.notes[anchors.NOTED] = audit.anchor(self.operations)
            write_atomically(snapshot / "run.json", json.dumps(self.summary(), indent=1, sort_keys=True).encode())
        for path in sorted(self.work.rglob("*")):
            if path.is_file():
                _flush_file(path)
        if publish:
            snapshot.replace(self.folder.published / self.run_id)
            flush_folder(self.folder.published)
        current = {"published": self.run_id if publish else before.published, "state": self.run_id}
        self.operations.end_run(self.run_id, "committing", publish, self.input_mark, self.summary())
        write_atomically(self.folder.current, json.dumps(current).encode())
        self.over = True
        finish(self.folder, self.operations, self.run_id)
        told = {"published": publish, "schema": self.operations.schema}
        audit.record(self.operations, self.started_by, RUN_ENDED["committed"], self.run_id, **told)
        try:
            anchors.anchor(self.operations)
        finally:
            self._release()

    def abandon(self, why: str) -> None:
        """Throw the work away; the last good state stays."""
        if self.over:
            return
        self.over = True
        shutil.rmtree(self.work, ignore_errors=True)
        self.operations.end_run(self.run_id, "abandoned", False, None, self.summary() | {"why": why})
        audit.record(self.operations, self.started_by, RUN_ENDED["abandoned"], self.run_id, why=why)
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


def input_mark(folder: DataFolder, sources: Path, operations: Operations) -> str:
    """A mark of all that a result follows from beside the extracts: contracts, code, settings, models,
    decisions, the opt-out list."""
    mark = hashlib.sha256()
    root = Path(__file__).resolve().parent.parent
    code = [p for room in ("pipelines", "linkage_models", "quality_checks") for p in (root / room).rglob("*")]
    for path in sorted({*code, *sources.rglob("*"), folder.root / SETTINGS_FILE}):
        if path.is_file() and path.suffix in {".py", ".sql", ".yaml", ".json"}:
            mark.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    # names in the settings say which of the council's own models; a new one matters only where the newest is asked for
    asked = load_settings(folder).model
    for path in sorted(folder.models.glob("*.json") if asked == "newest" else [folder.models / f"{asked}.json"]):
        if path.is_file():
            mark.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    last = max((decision["decision_id"] for decision in operations.decisions()), default=0)
    mark.update(f"{last} {newest_list(operations)}".encode())
    return mark.hexdigest()


def _flush_file(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
