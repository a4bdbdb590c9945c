"""The attributes zone, read-only: all that releasing and asking questions ever open."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from pipelines import warehouse
from pipelines.faults import BoroughlinkError
from pipelines.governance.purposes import Purposes
from pipelines.keys.keyring import Keyring
from pipelines.releases.seen import open_views
from pipelines.settings import DataFolder, Settings
from pipelines.warehouse import Warehouse

OPT_OUT_LIST = "attributes.attributes.opt_out_list"


@contextmanager
def open_attributes(
    folder: DataFolder, settings: Settings, keyring: Keyring, purposes: Purposes, memory_limit: str | None = None
) -> Iterator[Warehouse]:
    """The attributes of the last run whose state stands, with each purpose's views of them. A run under way works on a
    copy, so nobody waits.

    Raises BoroughlinkError when no run has made any, or they are of several runs.
    """
    if not folder.attributes.exists():
        raise BoroughlinkError(f"There are no attributes in {folder.root} yet: `boroughlink run` comes first.")
    zones = {"attributes": (folder.attributes, keyring.key("attributes"))}
    limits = (memory_limit or settings.memory_limit, settings.threads)
    with warehouse.opened(zones, folder.temp, (), *limits, read_only=True) as con:
        wh = Warehouse(con, "", settings.today())
        runs = wh.rows("SELECT DISTINCT run_id FROM attributes.meta.relation WHERE starts_with(name, 'attributes.')")
        if len(runs) != 1:
            raise BoroughlinkError(f"The attributes in {folder.root} are of several runs, or none: run again.")
        wh.run_id = runs[0][0]
        open_views(wh, purposes)
        yield wh


def marked_list(wh: Warehouse) -> date | None:
    """The date of the opt-out list with which the attributes were built."""
    found: date | None = wh.scalar(f"SELECT max(list_date) FROM {OPT_OUT_LIST}") if wh.exists(OPT_OUT_LIST) else None
    return found
