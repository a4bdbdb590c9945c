"""A copy of the operational store for one run that is thrown away: a SQLite file, wherever the store itself lies."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import sqlalchemy as sa
import yaml

from pipelines.operations import Operations, opened_store
from pipelines.settings import SETTINGS_FILE, DataFolder, load_settings, write_atomically

URL = "BOROUGHLINK_OPERATIONS_URL"
ROWS = 10_000


def copy_store(folder: DataFolder, copy: DataFolder) -> None:
    """Copy every row; the copy has its keys and settings already, and its settings name no other store afterwards."""
    if not load_settings(folder).operations_url:
        with (
            closing(sqlite3.connect(folder.operations)) as source,
            closing(sqlite3.connect(copy.operations)) as target,
        ):
            source.backup(target)
        return
    path = copy.root / SETTINGS_FILE
    held = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}
    held.pop("operations_url", None)
    write_atomically(path, yaml.safe_dump(held, allow_unicode=True).encode())
    with opened_store(folder) as source_store, without_url(), opened_store(copy) as target_store:
        _copy_rows(source_store, target_store)


@contextmanager
def without_url() -> Iterator[None]:
    """The environment without an address of another store: it would overrule the copy's settings, and a run that is
    thrown away would write to the true store."""
    known = os.environ.pop(URL, None)
    try:
        yield
    finally:
        if known is not None:
            os.environ[URL] = known


def _copy_rows(source: Operations, target: Operations) -> None:
    tables, same = sa.MetaData(), sa.MetaData()
    tables.reflect(source.engine)
    same.reflect(target.engine)
    # one moment of the store, whatever the app writes meanwhile
    whole = source.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with whole as reading, target.begin() as writing:
        for table in same.sorted_tables:
            if table.name == "alembic_version":
                continue
            found = reading.execution_options(yield_per=ROWS).execute(sa.select(tables.tables[table.name]))
            for rows in found.mappings().partitions(ROWS):
                writing.execute(sa.insert(table), [dict(row) for row in rows])
