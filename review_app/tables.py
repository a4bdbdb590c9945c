"""The app's own tables in the operational store, as the migrations make them."""

import sqlalchemy as sa

from pipelines.operations import Operations

metadata = sa.MetaData()

verdict_table = sa.Table(
    "verdict",
    metadata,
    sa.Column("verdict_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("item_id", sa.String(40), nullable=False),
    sa.Column("run_id", sa.String(40), nullable=False),
    sa.Column("version", sa.String(64), nullable=False),  # of the records that were seen
    sa.Column("part", sa.String(12), nullable=False),  # first, second, adjudication, gold, sample
    sa.Column("verdict", sa.String(12), nullable=False),  # same, different, split, unsure, evidence, undo
    sa.Column("batch", sa.String(32)),  # the pair decisions that it wrote
    sa.Column("undoes", sa.Integer),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("made_at", sa.String(32), nullable=False),
    sa.Column("reason", sa.String(40)),
    sa.Column("note", sa.String(32)),
    sa.Column("records", sa.String(32)),  # sealed: the records that were split off, the pairs decided
    sa.Column("seconds", sa.Float),
    sa.Column("blind", sa.Boolean, nullable=False),
    sa.Column("model_version", sa.String(80)),
    sa.Column("mac", sa.String(64)),
)
#: Where an item stands; follows from its verdicts.
state_table = sa.Table(
    "item_state",
    metadata,
    sa.Column("item_id", sa.String(40), primary_key=True),
    sa.Column("state", sa.String(12), nullable=False),  # done, second, dispute, unsure, waiting, open
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("first_by", sa.String(120)),
    sa.Column("second_by", sa.String(120)),
    sa.Column("updated_at", sa.String(32), nullable=False),
    sa.Column("mac", sa.String(64)),
)
lease_table = sa.Table(
    "lease",
    metadata,
    sa.Column("item_id", sa.String(40), primary_key=True),
    sa.Column("holder", sa.String(120), nullable=False),
    sa.Column("until", sa.String(32), nullable=False),
)
preference_table = sa.Table(
    "preference",
    metadata,
    sa.Column("who", sa.String(120), primary_key=True),
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(400), nullable=False),
)
declaration_table = sa.Table(
    "declaration",
    metadata,
    sa.Column("declaration_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("who", sa.String(120), nullable=False),
    sa.Column("kind", sa.String(12), nullable=False),  # self, household, relative
    sa.Column("record", sa.String(32), nullable=False),
    sa.Column("made_at", sa.String(32), nullable=False),
    sa.Column("mac", sa.String(64)),
)
case_table = sa.Table(
    "case_event",
    metadata,
    sa.Column("event_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("flag_id", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(12), nullable=False),  # state, owner, outcome, note
    sa.Column("value", sa.String(120)),
    sa.Column("amount", sa.Numeric(12, 2)),
    sa.Column("note", sa.String(32)),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("made_at", sa.String(32), nullable=False),
    sa.Column("mac", sa.String(64)),
)


def one_at_a_time(operations: Operations, db: sa.Connection) -> None:
    """Take the write lock: what is written now is judged by what stands now."""
    operations.take_write_lock(db, state_table)
