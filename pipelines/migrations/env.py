"""Alembic's entry: upgrades the store whose engine the caller hands over."""

from alembic import context

with context.config.attributes["engine"].begin() as connection:
    context.configure(connection=connection, render_as_batch=True)
    context.run_migrations()
