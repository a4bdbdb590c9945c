"""The schema of the operational store: brought up to date, and how SQLite keeps it."""

from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.faults import BoroughlinkError

MIGRATIONS = Path(__file__).parent / "migrations"


def durable(connection: Any, _record: Any) -> None:
    """Pragmas of a connection to SQLite: what is written is on the disk when the call returns."""
    # secure_delete: what is erased or rewritten is zeroed in the file, not only unlinked
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def revision(connection: sa.Connection) -> str | None:
    """The schema that the store is at."""
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def brought_up_to_date(engine: sa.Engine, keyring: Any) -> None:
    """Migrate the store to the newest schema. Raises BoroughlinkError when it was made by a newer version."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.util import CommandError

    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == _newest():
            return
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes |= {"engine": engine, "keyring": keyring}
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise BoroughlinkError("The operational store was made by a newer version of boroughlink: use that.") from None


@cache
def _newest() -> str | None:
    """The newest schema that there is: a look into every migration."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(MIGRATIONS)).get_current_head()
