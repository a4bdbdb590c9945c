"""Whether the rows that decide something are those that were written: each by its MAC, all of them by the audit.

A MAC shows a row that was changed or put in by hand. A row that was taken out, or an older state put back with the MAC
that it had, shows against what the audit tells.
"""

import json
from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from pipelines.governance.opt_out import names_on_list, opt_out_list_table
from pipelines.governance.row_macs import RowChanged, as_written
from pipelines.operations import Operations, audit_table, decision_table, release_table, request_table

TABLES = (request_table, decision_table, release_table, opt_out_list_table)
#: What the audit calls the end of a release, and the states that it can stand in afterwards.
ENDED = {"release revoked": ("revoked", "expired"), "release expired": ("expired",)}
Bad = tuple[str, str, str]
_TELLING = (
    sa.select(audit_table)
    .where(
        sa.or_(
            audit_table.c.event.in_(["release built", *ENDED]),
            *(audit_table.c.detail.contains(f'"{told}": ', autoescape=True) for told in ("batch", "request")),
        )
    )
    .order_by(audit_table.c.seq)
)


def first_bad_row(operations: Operations) -> Bad | None:
    """Table, row and what is wrong with the first row that is not as it was written; None if all are."""
    return next(_bad_rows(operations), None)


def _bad_rows(operations: Operations) -> Iterator[Bad]:
    for table in TABLES:
        (key,) = table.primary_key
        with operations.begin() as db:
            rows = db.execution_options(yield_per=10_000).execute(sa.select(table).order_by(key)).mappings()
            changed = next((row[key.name] for row in rows if not as_written(operations.keyring, table, row)), None)
        if changed is not None:
            yield table.name, str(changed), "is not as it was written"
    try:
        names_on_list(operations)
    except RowChanged as fault:
        yield fault.table, str(fault.row_id), fault.why
    yield from _against_the_audit(operations)


def _against_the_audit(operations: Operations) -> Iterator[Bad]:
    with operations.begin() as db:
        requests = dict(db.execute(sa.select(request_table.c.request_id, request_table.c.state)).tuples().all())
        releases = dict(db.execute(sa.select(release_table.c.release_id, release_table.c.state)).tuples().all())
        counted = sa.select(decision_table.c.batch, sa.func.count()).group_by(decision_table.c.batch)
        batches: dict[str, int] = dict(db.execute(counted).tuples().all())
        entries = db.execute(_TELLING).mappings().all()
    told: dict[str, str] = {}
    for entry in entries:
        detail, event = json.loads(entry["detail"]), entry["event"]
        if (state := _state(event)) and "request" in detail:
            told[detail["request"]] = state
        if "batch" in detail and batches.get(detail["batch"], 0) != detail["decisions"]:
            why = f"is not whole: see entry {entry['seq']} of the audit"
            yield decision_table.name, f"batch {detail['batch']}", why
        if event == "release built" and entry["object"] not in releases:
            yield release_table.name, entry["object"], "is gone"
        if event in ENDED and releases.get(entry["object"]) not in ENDED[event]:
            yield release_table.name, entry["object"], f"had ended: see entry {entry['seq']} of the audit"
    yield from _requests(requests, told)


def _requests(held: Mapping[str, str], told: Mapping[str, str]) -> Iterator[Bad]:
    for request_id, state in told.items():
        if held.get(request_id) != state:
            yield request_table.name, request_id, f"is {state} by the audit, and {held.get(request_id, 'gone')} here"


def _state(event: str) -> str | None:
    """The state of a request after an event of the audit."""
    last = event.rsplit(" ", 1)[-1]
    return {"requested": "waiting", "approved": "approved", "refused": "refused", "done": "done"}.get(last)
