"""Faults of a source that reviewers report."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "source_fault",
        sa.Column("fault_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("record", sa.String(200), nullable=False),
        sa.Column("column_name", sa.String(60)),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("sealed", sa.String(32), sa.ForeignKey("payload.payload_id"), nullable=False),
        sa.Column("reported_by", sa.String(120), nullable=False),
        sa.Column("reported_at", sa.String(32), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("state_by", sa.String(120), nullable=False),
        sa.Column("state_at", sa.String(32), nullable=False),
    )
    op.create_index("source_fault_by_source", "source_fault", ["source", "state"])
