"""Requests: acts that two people must agree to."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "request",
        sa.Column("request_id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("object", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("requested_by", sa.String(120), nullable=False),
        sa.Column("requested_as", sa.Text, nullable=False),
        sa.Column("requested_at", sa.String(32), nullable=False),
        sa.Column("expires", sa.String(32), nullable=False),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("said", sa.String(32), sa.ForeignKey("payload.payload_id"), nullable=False),
        sa.Column("role", sa.String(60)),
        sa.Column("answered_by", sa.String(120)),
        sa.Column("answered_at", sa.String(32)),
        sa.CheckConstraint("answered_by IS NULL OR answered_by <> requested_by", name="request_four_eyes"),
    )
