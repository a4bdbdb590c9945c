"""Faults that people find while they look at records: told to the owner of the source, counted on the scorecard.

Which record it is, and the note, lie sealed: they can be erased while the count stays.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.governance.actors import Actor
from pipelines.governance.approvals import roles_needed
from pipelines.keys.pseudonyms import record_name
from pipelines.keys.row_macs import MAC, rewrite
from pipelines.keys.sealed_texts import opened
from pipelines.operations import Operations, timestamp
from pipelines.settings import Settings
from pipelines.store_tables import payload_table, source_fault_table

#: What may be wrong -> the words for it, and the principle that it breaks.
KINDS: dict[str, tuple[str, str]] = {
    "wrong_value": ("a value is wrong", "accurate"),
    "other_person": ("the record is of somebody else", "accurate"),
    "bad_form": ("a value has the wrong form", "valid"),
    "duplicate": ("the record stands there twice", "reliable"),
    "out_of_date": ("what it says is out of date", "timely"),
    "not_needed": ("it should not be kept", "relevant"),
    "missing": ("a value is missing", "complete"),
}
OPEN, PASSED_ON, MENDED, NO_FAULT = STATES = ("open", "passed_on", "mended", "no_fault")
STANDING = (OPEN, PASSED_ON)
#: What may become of a fault, in words.
BECAME = {MENDED: "mended in the source", NO_FAULT: "looked at: no fault", PASSED_ON: "passed on, not mended yet"}
#: The roles that answer for a source: they see of which record a fault is, and say what became of it.
ANSWERING = ("information_asset_owner", "data_protection_officer")
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,59}")
_ABOUT = 4_000  # characters of a note


@dataclass(frozen=True)
class OpenedFault:
    """What lies sealed of a fault: the record, the note of whoever reported it, and what was done about it."""

    record_id: str
    note: str
    done: str


@dataclass(frozen=True)
class ReportedFault:
    """One reported fault without what is sealed; `record` is the record's keyed name."""

    fault_id: int
    source: str
    record: str
    column: str | None
    kind: str
    reported_by: str
    reported_at: str
    state: str
    state_by: str
    state_at: str

    @property
    def principle(self) -> str:
        return KINDS[self.kind][1]


def report_fault(
    operations: Operations, *, source: str, record_id: str, column: str | None, kind: str, note: str, by: str
) -> int:
    """Add a fault of a record of `source`; return its number. Raises BoroughlinkError for what is no such fault."""
    if kind not in KINDS:
        raise BoroughlinkError(f"There is no kind of fault of that name; there are {', '.join(KINDS)}.")
    if not record_id.startswith(f"{source}:"):
        raise BoroughlinkError(f"That is no record of {source}.")
    if column is not None and not _COLUMN.fullmatch(column):
        raise BoroughlinkError("A fault names a column by its staged name, such as birth_date.")
    if len(note) > _ABOUT:
        raise BoroughlinkError(f"A note holds at most {_ABOUT:,} characters.")
    now = timestamp()
    row = {
        "source": source, "record": record_name(operations.keyring, record_id), "column_name": column, "kind": kind,
        "reported_by": by[:120], "reported_at": now, "state": OPEN, "state_by": by[:120], "state_at": now,
    }  # fmt: skip
    with operations.begin() as db:
        row["sealed"] = operations.seal(db, json.dumps({"record_id": record_id, "note": note}))
        fault_id = operations.write_rows(db, source_fault_table, [row])
        audit.append(operations, db, by, "source fault reported", source, fault=fault_id, kind=kind)
    return fault_id


def reported_faults(
    operations: Operations, source: str | None = None, states: Sequence[str] = STANDING
) -> list[ReportedFault]:
    """Reported faults in these states, the oldest first. Raises RowChanged."""
    query = (
        sa.select(source_fault_table)
        .where(source_fault_table.c.state.in_(list(states)))
        .order_by(source_fault_table.c.fault_id)
    )
    if source:
        query = query.where(source_fault_table.c.source == source)
    rows = operations.rows(source_fault_table, query)
    return [ReportedFault(*(value for name, value in row.items() if name not in ("sealed", MAC))) for row in rows]


def require_answering(operations: Operations, who: Actor, settings: Settings, fault_id: int) -> None:
    """Raise BoroughlinkError, noted in the audit, for whoever does not answer for sources: who reported a fault is not
    the one to close it. Over invented data for which the settings name nobody, everyone answers."""
    if roles_needed(settings, *ANSWERING) and not who.roles.intersection(ANSWERING):
        audit.record(operations, who.login, "source fault refused", str(fault_id))
        roles = " or ".join(f"`{role}`" for role in ANSWERING)
        raise BoroughlinkError(f"A fault is opened and closed by whom the settings name as {roles} under `roles`.")


def opened_fault(operations: Operations, fault_id: int) -> OpenedFault | None:
    """What lies sealed of a fault; None when it was erased or there is no such fault."""
    with operations.begin() as db:
        return _unsealed(operations, db, fault_id)[1]


def _unsealed(operations: Operations, db: sa.Connection, fault_id: int) -> tuple[str, OpenedFault | None]:
    """The payload of a fault, and what it holds if it was not erased."""
    row = db.execute(
        sa.select(payload_table.c.payload_id, payload_table.c.sealed)
        .join(source_fault_table, source_fault_table.c.sealed == payload_table.c.payload_id)
        .where(source_fault_table.c.fault_id == fault_id)
    ).first()
    said = opened(operations.keyring, row.payload_id, row.sealed) if row else None
    if row is None or said is None:
        return (row.payload_id if row else ""), None
    told = json.loads(said)
    return row.payload_id, OpenedFault(told["record_id"], told["note"], told.get("done", ""))


def close_fault(operations: Operations, fault_id: int, became: str, done: str, by: str) -> None:
    """Note what became of a fault that stands (one of BECAME) and what was done, sealed with the fault.

    Raises BoroughlinkError for another outcome, for no word of what was done, and for a fault that does not stand.
    """
    if became not in BECAME:
        raise BoroughlinkError(f"What became of a fault is one of {', '.join(BECAME)}.")
    if not done.strip() or len(done) > _ABOUT:
        raise BoroughlinkError(f"Say what was done, in at most {_ABOUT:,} characters.")
    with operations.begin() as db:
        standing = (source_fault_table.c.fault_id == fault_id, source_fault_table.c.state.in_(STANDING))
        row = db.execute(sa.select(source_fault_table).where(*standing)).mappings().first()
        new = {"state": became, "state_by": by[:120], "state_at": timestamp()}
        if row is None or not rewrite(db, operations.keyring, source_fault_table, row, *standing, **new):
            raise BoroughlinkError(f"No fault of the number {fault_id} stands: it was closed, or was never reported.")
        payload_id, fault = _unsealed(operations, db, fault_id)
        if fault:  # what was erased stays so
            told = json.dumps({"record_id": fault.record_id, "note": fault.note, "done": done.strip()}).encode()
            sealed = operations.keyring.encrypt("fields", told, payload_id.encode())
            db.execute(sa.update(payload_table).where(payload_table.c.payload_id == payload_id).values(sealed=sealed))
        audit.append(operations, db, by, "source fault " + became.replace("_", " "), str(fault_id))
