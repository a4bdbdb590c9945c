"""Requests: the roles of which whoever answers holds one, as a list."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("request", sa.Column("roles", sa.Text, nullable=False, server_default="[]"))
    request = sa.table("request", sa.column("role", sa.String), sa.column("roles", sa.Text))
    connection = op.get_bind()
    for (role,) in connection.execute(sa.select(request.c.role).where(request.c.role.is_not(None)).distinct()).all():
        listed = json.dumps(sorted(role.split(" or ")))
        connection.execute(sa.update(request).where(request.c.role == role).values(roles=listed))
    op.execute("ALTER TABLE request DROP COLUMN role")  # not by a copy, which could lose the check of two people
