"""Whether the rows that decide something are those that were written: each by its MAC, all of them by the audit.

A MAC shows a row that was changed or put in by hand. A row that was taken out, or an older state put back with the MAC
that it had, shows against what the audit tells.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from pipelines.governance.opt_out import names_on_list
from pipelines.keys.row_macs import RowChanged, as_written
from pipelines.operations import Operations
from pipelines.store_tables import audit_table

#: Tables whose rows carry a MAC, and which of their columns name sealed texts. What else there is decides nothing.
TABLES: dict[str, tuple[str, ...]] = {
    "request": ("said",), "decision": ("records", "reason"), "release": (), "release_copy": (), "opt_out_list": (),
    "published_table": ("sealed",), "verdict": ("records", "note"), "item_state": (), "declaration": ("record",),
    "case_event": ("note",), "source_fault": ("sealed",), "notice": (), "run": (),
}  # fmt: skip
#: States of a row that has none of its own.
THERE, GONE = "there", "gone"
#: What an event of the audit says of the row that it is about: its table, and the state that it left it in.
_SAID = {
    "release built": ("release", THERE), "release revoked": ("release", "revoked"),
    "release expired": ("release", "expired"), "question answered": ("published_table", THERE),
    "run committed": ("run", "committed"), "run abandoned": ("run", "abandoned"),
    "source fault mended": ("source_fault", "mended"), "source fault no fault": ("source_fault", "no_fault"),
    "source fault passed on": ("source_fault", "passed_on"),
}  # fmt: skip
#: The same by what the event tells beside: by `fault` the state of a reported fault, and so on (`_rows_of`).
_MORE = (
    "release published", "source fault reported", "declared", "declaration withdrawal done", "case worked on",
    "verdict given", "verdict taken back", "record found",
)  # fmt: skip
#: The state of a request after an event of the audit, by its last word.
_ANSWERS = {"requested": "waiting", "approved": "approved", "refused": "refused", "done": "done"}
_TELLING = (
    sa.select(audit_table)
    .where(
        sa.or_(
            audit_table.c.event.in_((*_SAID, *_MORE)),
            *(audit_table.c.detail.contains(f'"{told}": ', autoescape=True) for told in ("batch", "request")),
        )
    )
    .order_by(audit_table.c.seq)
)
Bad = tuple[str, str, str]
#: Table and row, or of several rows what they have in common.
Row = tuple[str, str]


def first_bad_row(operations: Operations) -> Bad | None:
    """Table, row and what is wrong with the first row that is not as it was written; None if all are."""
    return next(_bad_rows(operations), None)


def _bad_rows(operations: Operations) -> Iterator[Bad]:
    reflected = sa.MetaData()
    reflected.reflect(operations.engine, only=[*TABLES, "payload"])
    tables = reflected.tables
    for name in TABLES:
        if changed := _changed(operations, tables[name]):
            yield name, changed, "is not as it was written"
    yield from _sealed_texts(operations, tables)
    try:
        names_on_list(operations)
    except RowChanged as fault:
        yield fault.table, str(fault.row_id), fault.why
    yield from _against_the_audit(operations, tables)


def _changed(operations: Operations, table: sa.Table) -> str | None:
    """The first row whose MAC does not fit."""
    (key,) = table.primary_key
    with operations.begin() as db:
        rows = db.execution_options(yield_per=10_000).execute(sa.select(table).order_by(key)).mappings()
        at = "the first"
        try:
            for row in rows:
                if not as_written(operations.keyring, table, row):
                    return str(row[key.name])
                at = f"after {row[key.name]}"
        except (TypeError, ValueError):  # SQLite keeps a text where a number should be, and it is no row then
            return at
    return None


def _sealed_texts(operations: Operations, tables: Mapping[str, sa.Table]) -> Iterator[Bad]:
    held = tables["payload"].c
    emptied = sa.select(held.payload_id).where(sa.func.length(held.sealed) == 0)
    with operations.begin() as db:
        found = [(one, "was emptied by hand") for one in db.scalars(emptied.limit(1))]
        for column in (tables[name].c[each] for name, sealed in TABLES.items() for each in sealed):
            named = sa.select(column).outerjoin(tables["payload"], held.payload_id == column)
            lost = named.where(column.is_not(None), held.payload_id.is_(None))
            found += [(one, "is gone") for one in db.scalars(lost.limit(1))]
    for payload_id, why in found:
        yield "payload", payload_id, why


def _against_the_audit(operations: Operations, tables: Mapping[str, sa.Table]) -> Iterator[Bad]:
    with operations.begin() as db:
        entries = db.execute(_TELLING).mappings().all()
        held = dict(_held(db, tables))
    for (table, row), (told, entry) in _told(entries).items():
        here = held.get((table, row), GONE)
        ended = (told, here) == ("revoked", "expired")
        if told and here != told and not ended and (told != THERE or here == GONE):
            yield table, row, f"is {told} by entry {entry} of the audit, and {here} here"


def _held(db: sa.Connection, tables: Mapping[str, sa.Table]) -> Iterator[tuple[Row, str]]:
    """What the audit tells of, as it stands."""
    for name in ("request", "release", "run", "item_state", "source_fault"):
        (key,) = tables[name].primary_key
        yield from (((name, str(row)), state) for row, state in db.execute(sa.select(key, tables[name].c.state)))
    for name in ("published_table", "declaration", "verdict"):
        yield from (((name, str(row)), THERE) for row in db.scalars(sa.select(*tables[name].primary_key)))
    copy = tables["release_copy"].c
    for row, since in db.execute(sa.select(copy.sha256, copy.revoked_at)):
        yield ("release_copy", row), "revoked" if since else THERE
    for name, column in (("decision", "batch"), ("case_event", "flag_id")):
        key = tables[name].c[column]
        for row, count in db.execute(sa.select(key, sa.func.count()).group_by(key)):
            yield (name, f"{column} {row}"), f"of {count} rows"


def _told(entries: Iterable[sa.RowMapping]) -> dict[Row, tuple[str, int]]:
    """What the audit tells last of each row, and in which entry."""
    told: dict[Row, tuple[str, int]] = {}  # no state where the audit can't say it
    copies, worked = defaultdict[str, list[str]](list), Counter[str]()
    for entry in entries:
        detail, event, subject = json.loads(entry["detail"]), entry["event"], entry["object"]
        said = list(_rows_of(event, subject, detail))
        if event == "release published":
            copies[subject].append(detail["sha256"])
        elif event in ("release revoked", "release expired"):
            said += [(("release_copy", sha256), "revoked") for sha256 in copies[subject]]
        elif event == "case worked on":
            worked[subject] += len(detail["kinds"])
            said.append((("case_event", f"flag_id {subject}"), f"of {worked[subject]} rows"))
        told |= {row: (state, entry["seq"]) for row, state in said}
    return told


def _rows_of(event: str, subject: str, detail: Mapping[str, Any]) -> Iterator[tuple[Row, str]]:
    """The rows of which an entry tells alone, and the state that it left each in."""
    if event in _SAID:
        table, state = _SAID[event]
        yield (table, subject), state
    if "request" in detail and (answer := _ANSWERS.get(event.rsplit(" ", 1)[-1])):
        yield ("request", detail["request"]), answer
    if "batch" in detail:
        yield ("decision", f"batch {detail['batch']}"), f"of {detail['decisions']} rows"
    if event == "release published":
        yield ("release_copy", detail["sha256"]), THERE
    if event == "source fault reported":
        yield ("source_fault", str(detail["fault"])), "open"
    if subject.startswith("declaration ") and event in ("declared", "declaration withdrawal done"):
        yield (
            ("declaration", subject.removeprefix("declaration ")),
            THERE if event == "declared" else "",
        )  # taken off, then
    if event in ("verdict given", "verdict taken back", "record found") and "number" in detail:
        yield ("verdict", str(detail["number"])), THERE
    if "stands" in detail:
        yield ("item_state", subject), detail["stands"] or GONE
