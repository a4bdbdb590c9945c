"""What became of an id: from any person or household id ever given to those that hold its records today."""

from dataclasses import dataclass

from pipelines.linkage.homes import HOUSEHOLD, HOUSEHOLD_LEDGER
from pipelines.linkage.persons import LEDGER, MEMBERSHIP, PERSON
from pipelines.settings import BoroughlinkError
from pipelines.warehouse import Warehouse

# Events by which another id took over records of this one: (event, the id that took, the id that gave).
_HANDED_ON = "event IN ('merged', 'split', 'joined') AND other_id IS NOT NULL"


class UnknownId(BoroughlinkError):
    """No person or household ever had this id here."""


@dataclass(frozen=True)
class Event:
    """One line of the ledger: what happened in `run` to `id`, with `members` records (stays, for a household)."""

    run: str
    event: str
    id: str
    other_id: str | None
    members: int
    reason: str


@dataclass(frozen=True)
class Lineage:
    """`current`: the ids that hold the records today: the id itself while it lives, none if no record is left. `since`:
    the run in which that came about. `events`: the lines of the ledger that lead there, oldest first. `parts`: ids that
    took some of the records while the id itself lives on. `came_back`: no id took the records over, but they turned up
    again and got these ids."""

    asked: str
    kind: str
    view: str
    current: tuple[str, ...]
    since: str
    events: tuple[Event, ...]
    parts: tuple[str, ...]
    came_back: bool

    def said(self) -> list[str]:
        """In words."""
        ids = ", ".join(self.current)
        if self.came_back:
            now = f"Its records were gone from the extracts and came back under another id: {ids}."
        elif not self.current:
            now = f"No id is its heir: its last record left in run {self.since}."
        elif self.current == (self.asked,):
            now = f"It is current, since run {self.since}."
        else:
            held = f"{ids}" if len(self.current) == 1 else f"{len(self.current)} ids: {ids}"
            now = f"Its {'records' if self.kind == 'person' else 'people'} belong to {held}, since run {self.since}."
        said = [f"A {self.kind} of the view {self.view}. {now}"]
        if self.parts:
            said.append(f"Some of its records went to {', '.join(self.parts)}.")
        return said


def resolve(wh: Warehouse, identifier: str, view: str | None = None, catalog: str = "identity") -> Lineage:
    """Follow an id through the ledger. Raises UnknownId; with `view`, also for an id of another view."""
    for kind, ledger, living in (
        ("person", LEDGER, f"SELECT person_id FROM {PERSON} WHERE status = 'current'"),
        ("household", HOUSEHOLD_LEDGER, f"SELECT household_id FROM {HOUSEHOLD}"),
    ):
        ledger, living = (text.replace("identity.", f"{catalog}.") for text in (ledger, living))
        if not wh.exists(ledger):
            continue
        found = wh.rows(
            f"SELECT view FROM {ledger} WHERE {kind}_id = ? OR other_{kind}_id = ? LIMIT 1", [identifier] * 2
        )
        if found and view in (None, found[0][0]):
            return _follow(wh, kind, found[0][0], ledger, living, identifier, catalog)
    where = f" in the view {view}" if view else ""
    raise UnknownId(f"No person or household has ever had this id{where}: `export clusters` lists those of today.")


def _follow(wh: Warehouse, kind: str, view: str, ledger: str, living: str, identifier: str, catalog: str) -> Lineage:
    wh.execute(
        f"""-- one row per line of the view's ledger, with the last line of its run
        CREATE OR REPLACE TEMP TABLE line AS
        SELECT ledger_seq, max(ledger_seq) OVER (PARTITION BY run_id) AS run_end, run_id, event, {kind}_id AS id,
            other_{kind}_id AS other_id, records, reason
        FROM {ledger} WHERE view = ?""",
        [view],
    )
    # An heir is followed from the end of the run in which it took records: what it gave away before wasn't this id's.
    wh.execute(
        f"""-- one row per id that holds, or has held, records of this one, and from when on
        CREATE OR REPLACE TEMP TABLE heir AS
        WITH RECURSIVE taken(id, since) AS (
            SELECT ?::VARCHAR, 0::BIGINT
            UNION
            SELECT l.id, l.run_end FROM taken t JOIN line l ON l.other_id = t.id AND l.ledger_seq > t.since
            WHERE {_HANDED_ON} AND t.id NOT IN ({living})
        ) SELECT id, min(since) AS since FROM taken GROUP BY id""",
        [identifier],
    )
    current = [row[0] for row in wh.rows(f"SELECT id FROM heir WHERE id IN ({living}) ORDER BY id")]
    events = wh.rows(
        """-- the lines of each heir since it is one
        SELECT run_id, event, id, other_id, len(records), reason FROM line
        WHERE EXISTS (FROM heir h WHERE h.id IN (line.id, line.other_id) AND line.run_end >= h.since)
        ORDER BY ledger_seq"""
    )
    begun = ("created", "split") if current == [identifier] else ("merged", "split", "joined", "retired")
    since = [run for run, event, *_ in events if event in begun][-1:] or [run for run, *_ in events][:1]
    parts = wh.rows(f"SELECT DISTINCT id FROM line WHERE other_id = ? AND {_HANDED_ON} ORDER BY id", [identifier])
    came_back = []
    if not current and kind == "person":
        came_back = wh.rows(
            f"""SELECT DISTINCT person_id FROM {MEMBERSHIP.replace("identity", catalog)}
            WHERE view = ? AND record_id IN (SELECT unnest(records) FROM line WHERE event = 'retired' AND id = ?)
            ORDER BY person_id""",
            [view, identifier],
        )
    for table in ("line", "heir"):
        wh.execute(f"DROP TABLE {table}")
    lives = current == [identifier]
    return Lineage(
        identifier,
        kind,
        view,
        tuple(current or (found for (found,) in came_back)),
        since[0] if since else "",
        tuple(Event(*row) for row in events),
        tuple(part for (part,) in parts) if lives else (),
        bool(came_back),
    )
