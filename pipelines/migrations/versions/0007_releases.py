"""Releases: the copies that were handed over, the tables of counts that were published, the national data opt-out."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "release_copy",
        sa.Column("copy_id", sa.String(32), primary_key=True),
        sa.Column("release_id", sa.String(64), sa.ForeignKey("release.release_id"), nullable=False),
        sa.Column("recipient_key", sa.String(120), nullable=False),
        sa.Column("file", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("made_by", sa.String(120), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("revoked_at", sa.String(32)),
    )
    op.create_table(
        "published_table",
        sa.Column("table_id", sa.String(64), primary_key=True),
        sa.Column("base", sa.String(60), nullable=False),
        sa.Column("filter", sa.String(64), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("sealed", sa.String(32), sa.ForeignKey("payload.payload_id"), nullable=False),
    )
    op.create_index("published_table_by_base", "published_table", ["base"])
    op.create_table(
        "opt_out_list",
        sa.Column("list_date", sa.String(10), primary_key=True),
        sa.Column("imported_at", sa.String(32), nullable=False),
        sa.Column("imported_by", sa.String(120), nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
    )
    op.create_table("opt_out", sa.Column("name", sa.String(40), primary_key=True))
