"""Where stewards' commands read: the identity zone, for the purpose of data quality; a trial zone in memory."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines import warehouse
from pipelines.keys.keyring import open_keyring
from pipelines.settings import DataFolder, load_settings, now
from pipelines.warehouse import SCHEMAS, Warehouse

PURPOSE = "data_quality"


@contextmanager
def identity_zone(folder: DataFolder) -> Iterator[Warehouse]:
    """The identity zone as the last run left it, read-only."""
    settings = load_settings(folder)
    keyring = open_keyring(folder, settings, ("identity",))
    zones = {"identity": (folder.identity, keyring.key("identity"))}
    limits = (settings.memory_limit, settings.threads)
    with warehouse.opened(zones, folder.temp, (folder.root,), *limits, read_only=True) as con:
        yield Warehouse(con, f"read {now():%Y%m%d}", settings.today())


@contextmanager
def trial_zone(read: Sequence[Path]) -> Iterator[Warehouse]:
    """An empty identity zone in memory that may read these folders; what it spills is encrypted, and all of it goes."""
    with tempfile.TemporaryDirectory() as temp:
        con = warehouse.connect(Path(temp), read, "2GB", 2)
        try:
            con.execute("ATTACH ':memory:' AS identity")
            for schema in SCHEMAS["identity"]:
                con.execute(f"CREATE SCHEMA identity.{schema}")
            warehouse.lock_configuration(con)
            yield Warehouse(con, "trial", now().date())
        finally:
            con.close()
