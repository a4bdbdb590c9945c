"""What people wrote about a person, sealed in the operational store: it goes, the rows that it belongs to stay."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from pipelines.erasure.subject import Subject
from pipelines.keys.keyring import KeyFault
from pipelines.keys.row_macs import RowChanged
from pipelines.keys.sealed_texts import erased, opened
from pipelines.operations import Operations
from pipelines.store_tables import payload_table, request_table

#: Tables of the review app, as far as their sealed texts are concerned: the migrations make them.
_VERDICT = sa.table("verdict", sa.column("item_id"), sa.column("note"), sa.column("records"))
_CASE = sa.table("case_event", sa.column("flag_id"), sa.column("note"))


def forget_sealed(operations: Operations, subject: Subject, request_id: str) -> int:
    """Erase every sealed text that names one of the records, and the notes beside it or on its flags; returns how many.
    The request that is being carried out keeps its own until the end."""
    operations.erase_records(subject.records)
    named = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, subject.records))})(?!\d)")
    with operations.begin() as db:
        own = db.scalar(sa.select(request_table.c.said).where(request_table.c.request_id == request_id))
        held = db.execute(sa.select(payload_table.c.payload_id, payload_table.c.sealed)).all()
        gone = {one for one, text in _opened(operations, held) if one != own and named.search(text)}
        rows = db.execute(sa.select(_VERDICT.c.item_id, _VERDICT.c.note, _VERDICT.c.records)).all()
        gone |= {row.note for row in rows if row.note and (row.records in gone or row.item_id in subject.items)}
        cases = db.execute(sa.select(_CASE.c.flag_id, _CASE.c.note)).all()
        gone |= {row.note for row in cases if row.note and row.flag_id in subject.items}
        for one in gone:
            sealed = erased(operations.keyring, one)
            db.execute(sa.update(payload_table).where(payload_table.c.payload_id == one).values(sealed=sealed))
    return len(gone)


def _opened(operations: Operations, held: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for payload_id, sealed in held:
        try:
            yield payload_id, (opened(operations.keyring, payload_id, sealed) or b"").decode()
        except (KeyFault, RowChanged, UnicodeDecodeError):  # a key of a release, or emptied: no text
            continue
