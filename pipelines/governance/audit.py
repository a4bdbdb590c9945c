"""The audit chain: each entry's MAC covers its content and the MAC before it, so that any change shows.

Entries speak of random ids, runs and counts, never of a person's details. `anchor` gives the chain's head, to be kept
elsewhere: cutting off the tail shows against it.
"""

import hmac
import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from pipelines.faults import Refusal
from pipelines.operations import Operations, timestamp
from pipelines.store_tables import audit_table

GENESIS = "0" * 64


def record(operations: Operations, actor: str, event: str, subject: str, **detail: Any) -> int:
    """Append one entry; return its number."""
    with operations.begin() as db:
        return append(operations, db, actor, event, subject, **detail)


def refused(operations: Operations, actor: str, fault: Refusal) -> None:
    """Append what was refused, and in which words."""
    record(operations, actor, "refused", type(fault).__name__, why=str(fault)[:400])


def append(operations: Operations, db: sa.Connection, actor: str, event: str, subject: str, **detail: Any) -> int:
    """`record` inside a transaction of the caller's: what was done and its entry are written together, or neither."""
    text = json.dumps(detail, sort_keys=True, default=str)
    operations.take_write_lock(db, audit_table)
    head = db.execute(
        sa.select(audit_table.c.seq, audit_table.c.mac).order_by(audit_table.c.seq.desc()).limit(1)
    ).first()
    seq, prev = (head.seq + 1, head.mac) if head else (1, GENESIS)
    entry = {
        "seq": seq,
        "at": timestamp(),
        "actor": actor[:120],
        "event": event,
        "object": subject,
        "detail": text,
        "prev": prev,
    }
    db.execute(sa.insert(audit_table).values(**entry, mac=_mac(operations, entry)))
    return seq


def verify(operations: Operations, anchored: Iterable[tuple[int, str]] = ()) -> tuple[int, int | None]:
    """Check the whole chain, also against heads kept elsewhere: entries read, and the number of the first bad one (None
    if all is well)."""
    expected, prev, read, kept = 1, GENESIS, 0, list(anchored)
    heads: dict[int, set[str]] = {}
    for seq, mac in kept:
        heads.setdefault(seq, set()).add(mac)
    with operations.begin() as db:
        for row in db.execute(sa.select(audit_table).order_by(audit_table.c.seq)).mappings():
            entry = {name: row[name] for name in ("seq", "at", "actor", "event", "object", "detail", "prev")}
            if (
                row["seq"] != expected
                or row["prev"] != prev
                or not hmac.compare_digest(row["mac"], _mac(operations, entry))
                or heads.get(row["seq"], {row["mac"]}) != {row["mac"]}
            ):
                return read, expected
            expected, prev, read = expected + 1, row["mac"], read + 1
    last = max((seq for seq, _ in kept), default=0)
    return read, (read + 1 if read < last else None)


def subjects(operations: Operations, events: Iterable[str]) -> set[str]:
    """What entries of these events are about."""
    with operations.begin() as db:
        return set(db.scalars(sa.select(audit_table.c.object).where(audit_table.c.event.in_(list(events)))))


def entries(operations: Operations, events: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Entries of these events, by default of all, oldest first, each with its detail opened."""
    query = sa.select(audit_table).order_by(audit_table.c.seq)
    if events is not None:
        query = query.where(audit_table.c.event.in_(list(events)))
    with operations.begin() as db:
        rows = db.execute(query).mappings().all()
    return [dict(row) | {"detail": json.loads(row["detail"])} for row in rows]


def anchor(operations: Operations) -> tuple[int, str]:
    """Number and MAC of the last entry."""
    with operations.begin() as db:
        head = db.execute(
            sa.select(audit_table.c.seq, audit_table.c.mac).order_by(audit_table.c.seq.desc()).limit(1)
        ).first()
    return (head.seq, head.mac) if head else (0, GENESIS)


def _mac(operations: Operations, entry: dict[str, Any]) -> str:
    return operations.keyring.hmac("audit", json.dumps(entry, sort_keys=True).encode()).hex()
