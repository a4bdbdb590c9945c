"""Faults that people reported, for the owner of the source: what stands, of which record, and what became of it."""

from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.governance.actors import acting
from pipelines.keys.keyring import STORE
from pipelines.operations import opened_store
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder, load_settings
from pipelines.source_faults import (
    BECAME,
    KINDS,
    STANDING,
    STATES,
    close_fault,
    opened_fault,
    reported_faults,
    require_answering,
)

_COLUMNS = ("number", "source", "what is wrong", "column", "reported by", "on", "state", "by", "since")


def reported_of(folder: DataFolder, source: str | None, every: bool) -> Answer:
    """The faults that stand, of one source or of all; with `every` those that are closed too. No record is named."""
    with opened_store(folder, STORE) as operations:
        found = reported_faults(operations, source, STATES if every else STANDING)
    rows = [
        (
            *(f.fault_id, f.source, KINDS[f.kind][0], f.column, f.reported_by, f.reported_at[:10]),
            *(f.state.replace("_", " "), f.state_by, f.state_at[:10]),
        )
        for f in found
    ]
    return Answer((), [("Reported faults", _COLUMNS, rows)]) if rows else Answer(("No reported fault stands.",))


def reported_fault_of(folder: DataFolder, number: int) -> Answer:
    """The record and the notes of one fault. Written to the audit first; raises BoroughlinkError for none."""
    who = acting(folder)
    with opened_store(folder, STORE) as operations:
        require_answering(operations, who, load_settings(folder), number)
        audit.record(operations, who.login, "source fault opened", str(number))
        opened = opened_fault(operations, number)
    if opened is None:
        raise BoroughlinkError(f"There is no fault of the number {number}, or what it was about has been erased.")
    return Answer((f"Record: {opened.record_id}", f"Note: {opened.note}", f"Done: {opened.done or 'nothing yet'}"))


def close_reported(folder: DataFolder, number: int, became: str, done: str) -> str:
    """Note what became of a fault; what was done is sealed with it. Raises BoroughlinkError unless the
    one who acts answers for sources."""
    who = acting(folder)
    with opened_store(folder, STORE) as operations:
        require_answering(operations, who, load_settings(folder), number)
        close_fault(operations, number, became, done, who.login)
    return f"Fault {number}: {BECAME[became]}."
