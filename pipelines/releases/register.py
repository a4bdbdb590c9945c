"""The register of published tables: one that, subtracted from an earlier one, gives away a small group is refused.

Each shown cell of one, and all that it counts, is held against each of the other on the data of today: a part of one
that is smaller than the rule hides, with nothing the other way, could be read off the difference. The same question in
a later run tells only in round numbers who came and went.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from pipelines.governance import audit
from pipelines.keys.pseudonyms import lasting_name
from pipelines.keys.row_macs import RowChanged
from pipelines.operations import Operations, timestamp
from pipelines.releases.protected_table import Preset, presets
from pipelines.releases.question import Question
from pipelines.releases.sets import ReleaseRefused
from pipelines.releases.store import keep_key, key_of
from pipelines.releases.subtracting import Counted, gives_away
from pipelines.store_tables import metadata
from pipelines.warehouse import Warehouse, WarehouseError

#: The audit's word for a table that the register holds and that is out.
ANSWERED = "question answered"

table_table = sa.Table(
    "published_table",
    metadata,
    sa.Column("table_id", sa.String(64), primary_key=True),
    sa.Column("base", sa.String(60), nullable=False),
    sa.Column("filter", sa.String(64), nullable=False),
    sa.Column("made_at", sa.String(32), nullable=False),
    sa.Column("sealed", sa.String(32), sa.ForeignKey("payload.payload_id"), nullable=False),
    sa.Column("mac", sa.String(64)),
)


class DifferenceRefused(ReleaseRefused):
    """A table that, subtracted from one that is out, tells of a few people."""


@dataclass(frozen=True)
class Published:
    """A table that is out: its question, what was hidden in it, and the rule, where it was kept."""

    table_id: str
    question: Question
    hidden_below: int
    preset: Preset | None


def require_no_difference(wh: Warehouse, operations: Operations, question: Question, preset: Preset) -> None:
    """Raise DifferenceRefused if an earlier table and this one, subtracted, give away a small group; `asked` must hold
    its members.
    """
    now, seen = Counted(wh, "asked", question, preset), set()
    for earlier in _published(operations):
        least = max(preset.hidden_below, earlier.hidden_below)
        told = (earlier.question.members(), earlier.hidden_below, earlier.preset)
        if told in seen or told[0] == question.members():
            continue  # the same question in another run is held against this one once
        seen.add(told)
        if _told(wh, earlier, now, least):
            raise DifferenceRefused(
                f"With the table {earlier.table_id} that is out already, this one gives away a group of fewer than "
                f"{least} people. Count more coarsely, or ask the same question as before."
            )


def note(operations: Operations, run_id: str, question: Question, preset: Preset, base: str) -> str:
    """Enter a table in the register, its question sealed; returns its name."""
    told = {
        "question": {
            "tables": question.tables, "source": question.source, "where": question.where, "dims": question.dims,
            "unit": question.unit, "count_as": question.count_as,
        },
        "hidden_below": preset.hidden_below,
        "preset": preset.name,
    }  # fmt: skip
    table_id = lasting_name(operations.keyring, "t_", base, question.members(), run_id, preset.name)
    with operations.begin() as db:
        if db.scalar(sa.select(table_table.c.table_id).where(table_table.c.table_id == table_id)):
            return table_id
    sealed = keep_key(operations, json.dumps(told).encode())
    with operations.begin() as db:
        row = {
            "table_id": table_id, "base": question.base, "made_at": timestamp(), "sealed": sealed,
            "filter": lasting_name(operations.keyring, "w_", question.source, question.where),
        }  # fmt: skip
        operations.write_rows(db, table_table, [row])
    return table_id


def _published(operations: Operations) -> list[Published]:
    rows = operations.rows(table_table, sa.select(table_table).order_by(table_table.c.made_at))
    if gone := audit.subjects(operations, [ANSWERED]) - {row["table_id"] for row in rows}:
        raise RowChanged(table_table.name, min(gone), "is gone")
    return [_opened(operations, dict(row)) for row in rows]


def _opened(operations: Operations, row: Mapping[str, Any]) -> Published:
    told = json.loads(key_of(operations, row["sealed"]))
    asked = told["question"]
    dims = tuple((heading, sql) for heading, sql in asked.pop("dims"))
    question = Question(tables=tuple(asked.pop("tables")), dims=dims, **asked)
    return Published(row["table_id"], question, told["hidden_below"], presets().get(told.get("preset")))


def _told(wh: Warehouse, earlier: Published, now: Counted, least: int) -> bool:
    try:
        wh.execute(f"CREATE OR REPLACE TEMP TABLE earlier AS {earlier.question.members()}")
    except WarehouseError:  # a column of then is gone: it can't be recounted, and nothing of it stands any more
        return False
    return gives_away(wh, now, Counted(wh, "earlier", earlier.question, earlier.preset), least)
