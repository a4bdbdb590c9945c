"""What the review app keeps: verdicts, leases, preferences, declarations, the work on flagged pairs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

APPEND_ONLY = ("verdict", "case_event")


def upgrade() -> None:
    op.create_table(
        "verdict",
        sa.Column("verdict_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("item_id", sa.String(40), nullable=False, index=True),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("part", sa.String(12), nullable=False),
        sa.Column("verdict", sa.String(12), nullable=False),
        sa.Column("batch", sa.String(32)),
        sa.Column("undoes", sa.Integer),
        sa.Column("made_by", sa.String(120), nullable=False, index=True),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("note", sa.String(32), sa.ForeignKey("payload.payload_id")),
        sa.Column("records", sa.String(32), sa.ForeignKey("payload.payload_id")),
        sa.Column("seconds", sa.Float),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("model_version", sa.String(80)),
    )
    op.create_table(
        "item_state",
        sa.Column("item_id", sa.String(40), primary_key=True),
        sa.Column("state", sa.String(12), nullable=False, index=True),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("first_by", sa.String(120)),
        sa.Column("second_by", sa.String(120)),
        sa.Column("updated_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "lease",
        sa.Column("item_id", sa.String(40), primary_key=True),
        sa.Column("holder", sa.String(120), nullable=False),
        sa.Column("until", sa.String(32), nullable=False),
    )
    op.create_table(
        "preference",
        sa.Column("who", sa.String(120), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.String(400), nullable=False),
    )
    op.create_table(
        "declaration",
        sa.Column("declaration_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("who", sa.String(120), nullable=False, index=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("record", sa.String(32), sa.ForeignKey("payload.payload_id"), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "case_event",
        sa.Column("event_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("flag_id", sa.String(40), nullable=False, index=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("value", sa.String(120)),
        sa.Column("amount", sa.Numeric(12, 2)),
        sa.Column("note", sa.String(32), sa.ForeignKey("payload.payload_id")),
        sa.Column("made_by", sa.String(120), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
    )
    for table in APPEND_ONLY:
        _forbid_change(table)


def _forbid_change(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
