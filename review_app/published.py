"""The published snapshot as the app holds it open: read-only, one thread, exchanged when CURRENT moves."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from linkage_models.models import Model
from linkage_models.person.designs import DESIGNS
from pipelines.commit_point import Current
from pipelines.faults import BoroughlinkError
from pipelines.settings import DataFolder
from pipelines.snapshots import open_snapshot
from pipelines.warehouse import Warehouse

VIEW = "data_quality"
T = TypeVar("T")
#: Items kept at hand, and what their answers would give; a reviewer goes back to few.
RECENT = 256
#: Seconds that a page waits for a new run to be opened; a large borough is opened behind the pages of the old one.
PATIENCE = 0.5


class Item(NamedTuple):
    """A line of the queue: what chooses and groups items, no value of a record."""

    item_id: str
    position: int
    reason: str
    priority: float
    is_restricted: bool
    version: str
    persons: tuple[str, ...]
    pattern: tuple[tuple[str, int], ...]


@dataclass
class Snapshot:
    """One published run, open. `wh` is this request's own cursor."""

    run_id: str
    wh: Warehouse
    shared: "_Open"

    def columns(self, table: str) -> tuple[str, ...]:
        """Columns of a published table; none if the run has no such table. Looked up once a run."""
        known = self.shared.columns
        if table not in known:
            known[table] = tuple(self.wh.columns(table))
        return known[table]

    def has(self, table: str) -> bool:
        return bool(self.columns(table))

    def once(self, name: str, read: Callable[["Snapshot"], T]) -> T:
        """What `read` makes of this run, kept under a name until another run is published."""
        known = self.shared.kept
        if name not in known:
            known[name] = read(self)
        kept: T = known[name]
        return kept

    def recent(self, key: str, read: Callable[["Snapshot", str], T]) -> T:
        """What `read` makes of this run and a key, kept while it is among the last that were asked for."""
        with self.shared.lock:
            if key in self.shared.recent:
                self.shared.recent.move_to_end(key)
                found: T = self.shared.recent[key]
                return found
        made = read(self, key)
        with self.shared.lock:
            self.shared.recent[key] = made
            while len(self.shared.recent) > RECENT:
                self.shared.recent.popitem(last=False)
        return made

    def found(self, table: str, key: str, values: Sequence[str], *columns: str) -> list[tuple[Any, ...]]:
        """Columns of the rows of a published table that have one of these values in an indexed column. A further
        condition would make DuckDB read the whole table: the caller puts it."""
        if not values:
            return []
        marks = ", ".join("?" * len(values))
        listed = f"SELECT {', '.join(columns)} FROM published.{table} WHERE {key} IN ({marks}) ORDER BY ALL"
        return self.wh.rows(listed, list(values))

    def persons_of(self, records: Sequence[str]) -> dict[str, str]:
        """record -> its person, in the view of the app."""
        rows = self.found("linkage.membership", "record_id", records, "record_id", "person_id", "view")
        return {record: person for record, person, view in rows if view == VIEW}

    def records_of(self, persons: Sequence[str]) -> dict[str, str]:
        """record -> its person, of these persons."""
        return dict(self.found("linkage.membership", "person_id", persons, "record_id", "person_id"))

    @property
    def queue(self) -> list[Item]:
        return self.shared.queue

    @property
    def open_queue(self) -> list[Item]:
        """The queue without the items of protected people."""
        return self.shared.open_queue

    @property
    def patterns(self) -> Counter[tuple[tuple[str, int], ...]]:
        """Items of the open queue by pattern."""
        return self.shared.patterns

    @property
    def by_id(self) -> dict[str, Item]:
        return self.shared.by_id

    @property
    def model(self) -> Model | None:
        return self.shared.model

    @property
    def model_version(self) -> str | None:
        return self.model.version if self.model else None

    @property
    def link_weight(self) -> float:
        return self.shared.link_weight

    @property
    def lone(self) -> float:
        return self.shared.lone

    @property
    def raised_stop(self) -> float | None:
        return self.shared.raised_stop


@dataclass
class _Open:
    """The connection behind all cursors of one run, and what is read from it once."""

    wh: Warehouse
    run_id: str
    closing: ExitStack
    users: int = 0
    retired: bool = False
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    recent: OrderedDict[str, Any] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def model(self) -> Model | None:
        if not self.wh.exists("published.linkage.model"):
            return None
        # levels and weights only: the frequencies of names stay in the file
        return Model.of(self.cursor().scalar("SELECT body FROM published.linkage.model"), "{}")

    @cached_property
    def lone(self) -> float:
        """How far below the stop level a record alone joins a group."""
        return DESIGNS[self.model.design].lone if self.model else 0.0

    @cached_property
    def link_weight(self) -> float:
        if self.cursor().exists("published.linkage.threshold"):
            for (link,) in self.cursor().rows("SELECT link FROM published.linkage.threshold WHERE view = ?", [VIEW]):
                return float(link)
        return 0.0

    @cached_property
    def raised_stop(self) -> float | None:
        """The stop level that a stated target precision asked for, if one did."""
        if self.cursor().exists("published.linkage.stop_level"):
            for (stop,) in self.cursor().rows("SELECT stop FROM published.linkage.stop_level WHERE view = ?", [VIEW]):
                return float(stop)
        return None

    @cached_property
    def queue(self) -> list[Item]:
        wh = self.cursor()
        if not wh.exists("published.review.queue"):
            return []
        gammas = [name for name in wh.columns("published.review.pair") if name.startswith("gamma_")]
        listed = "".join(f", pair.{name}" for name in gammas)
        rows = wh.rows(
            "SELECT q.item_id, q.position, q.reason, q.priority, q.is_restricted, q.version, q.person_id, "
            f"q.other_person_id{listed} FROM published.review.queue AS q LEFT JOIN published.review.pair AS pair "
            "ON pair.item_id = q.item_id AND pair.record_l = q.record_l AND pair.record_r = q.record_r "
            "ORDER BY q.position"
        )
        names = [name.removeprefix("gamma_") for name in gammas]
        seen: dict[tuple[Any, ...], tuple[tuple[str, int], ...]] = {}
        items = []
        for row in rows:
            levels = row[8:]
            if levels not in seen:
                seen[levels] = tuple(
                    (name, level) for name, level in zip(names, levels, strict=True) if level is not None and level >= 0
                )
            persons = tuple(person for person in row[6:8] if person)
            item_id, position, reason, priority, is_restricted, version = row[:6]
            items.append(Item(item_id, position, reason, priority, is_restricted, version, persons, seen[levels]))
        return items

    @cached_property
    def open_queue(self) -> list[Item]:
        return [item for item in self.queue if not item.is_restricted]

    @cached_property
    def patterns(self) -> Counter[tuple[tuple[str, int], ...]]:
        return Counter(item.pattern for item in self.open_queue)

    @cached_property
    def by_id(self) -> dict[str, Item]:
        return {item.item_id: item for item in self.queue}

    def cursor(self) -> Warehouse:
        return Warehouse(self.wh.con.cursor(), self.run_id, self.wh.as_of, self.wh.folder)


class Published:
    """Hands out the newest published run; keeps an older one open until its last reader has left."""

    def __init__(self, folder: DataFolder, warmers: Sequence[Callable[[Snapshot], object]] = ()) -> None:
        """`warmers` read what pages share, so that no reader waits for it."""
        self.folder, self.warmers = folder, warmers
        self._opening: threading.Thread | None = None
        self._lock = threading.Lock()
        self._open: _Open | None = None
        self._mark: tuple[int, int] | None = None

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """A snapshot for one request. Raises NothingPublished."""
        held = self._borrow()
        cursor = held.wh.con.cursor()
        try:
            yield Snapshot(held.run_id, Warehouse(cursor, held.run_id, held.wh.as_of, held.wh.folder), held)
        finally:
            cursor.close()
            with self._lock:
                held.users -= 1
                self._close_idle(held)

    def warm(self) -> None:
        """Read what all pages share, so that the first reader does not wait for it."""
        with self.read() as snapshot:
            self._warm(snapshot)

    def _warm(self, snapshot: Snapshot) -> None:
        _ = snapshot.by_id, snapshot.patterns, snapshot.model, snapshot.link_weight
        for warmer in self.warmers:
            warmer(snapshot)

    def close(self) -> None:
        with self._lock:
            if self._open:
                self._open.retired = True
                self._close_idle(self._open)
                self._open = None

    def _borrow(self) -> _Open:
        with self._lock:
            mark, opening = self._current_mark(), None
            if self._open is None:
                self._open, self._mark = self._opened(), mark
            elif mark != self._mark:
                if self._opening is None or not self._opening.is_alive():
                    self._opening = threading.Thread(target=self._exchange, args=(mark,), daemon=True)
                    self._opening.start()
                opening = self._opening
        if opening:
            opening.join(PATIENCE)
        with self._lock:
            if self._open is None:  # closed meanwhile
                self._open, self._mark = self._opened(), mark
            self._open.users += 1
            return self._open

    def _exchange(self, mark: tuple[int, int] | None) -> None:
        """Open the run that is published now, read what pages share, and put it in the place of the old one."""
        fresh = self._opened()
        if fresh is not self._open:
            try:
                self._warm(Snapshot(fresh.run_id, fresh.cursor(), fresh))
            except BaseException:
                fresh.closing.close()
                raise
        with self._lock:
            old, self._open, self._mark = self._open, fresh, mark
            if old and old is not fresh:
                old.retired = True
                self._close_idle(old)

    def _opened(self) -> _Open:
        if self._open and Current.read(self.folder).published == self._open.run_id:
            return self._open
        stack = ExitStack()
        try:
            wh, place = stack.enter_context(open_snapshot(self.folder))
        except BoroughlinkError:
            stack.close()
            if self._open:  # the run before is still whole and open: better than a blank page
                return self._open
            raise
        return _Open(wh, place.name, stack)

    def _current_mark(self) -> tuple[int, int] | None:
        try:
            stat = self.folder.current.stat()
        except FileNotFoundError:
            return None
        return stat.st_mtime_ns, stat.st_ino

    def _close_idle(self, held: _Open) -> None:
        if held.retired and held.users == 0:
            held.closing.close()
