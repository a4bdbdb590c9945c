"""The identity zone, read for the purpose of data quality: rows to mend and rows that are due to go."""

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines import warehouse
from pipelines.keys.keyring import open_keyring
from pipelines.settings import DataFolder, load_settings, now
from pipelines.warehouse import Warehouse

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
