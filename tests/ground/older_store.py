"""An operational store as an older version left it."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import pipelines
from pipelines.keys.keyring import Keyring
from pipelines.settings import DataFolder


def older_store(folder: DataFolder, keyring: Keyring, revision: str) -> sa.Engine:
    """A SQLite store at a revision of the migrations, to be disposed of before it is opened."""
    engine = sa.create_engine(f"sqlite:///{folder.operations}")
    config = Config(attributes={"engine": engine, "keyring": keyring})
    config.set_main_option("script_location", str(Path(pipelines.__file__).parent / "migrations"))
    command.upgrade(config, revision)
    return engine
