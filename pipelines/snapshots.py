"""Reading what is published: the only way by which reading commands and the app see the linked borough."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines import warehouse
from pipelines.commit_point import Current
from pipelines.faults import BoroughlinkError
from pipelines.keys.keyring import open_keyring
from pipelines.settings import DataFolder, load_settings
from pipelines.warehouse import Warehouse


class NothingPublished(BoroughlinkError):
    """No run has been published yet."""


class SnapshotGone(NothingPublished):
    """What was published is not on the disk any more."""


@contextmanager
def open_snapshot(
    folder: DataFolder, run_id: str | None = None, read: Sequence[Path] = ()
) -> Iterator[tuple[Warehouse, Path]]:
    """The published snapshot, read-only: what every reading command and the app see.

    `read` names further folders that a query may read.
    Raises NothingPublished when there is none.
    """
    place = published_place(folder, run_id)
    settings = load_settings(folder)
    keyring = open_keyring(folder, settings, ("published",))
    zones = {"published": (place / "snapshot.duckdb", keyring.key("published"))}
    with warehouse.opened(zones, folder.temp, (place, *read), settings.memory_limit, 1, read_only=True) as con:
        wh = Warehouse(con, place.name, settings.today(), place)
        mixed = wh.rows("SELECT DISTINCT run_id FROM published.meta.relation WHERE run_id <> ?", [place.name])
        if mixed:
            raise BoroughlinkError(f"The snapshot of {place.name} holds tables of another run: run again.")
        yield wh, place


def require_linked(wh: Warehouse) -> None:
    """Raise NothingPublished where a run had no people to link."""
    if not wh.exists("published.linkage.membership"):
        raise NothingPublished(
            "Nobody was linked: no source at hand holds people. If a table does, its contract says with `maps` which "
            "column is what; then `boroughlink run`."
        )


def published_place(folder: DataFolder, run_id: str | None = None) -> Path:
    """The folder of a published run, without a name of the current one. Raises NothingPublished."""
    named = run_id or Current.read(folder).published
    if named is None or not (folder.published / named / "snapshot.duckdb").exists():
        if folder.day:
            raise NothingPublished(
                f"{folder.day} was never reconstructed: `boroughlink run --as-of {folder.day}` first."
            )
        if run_id is None and named:
            raise SnapshotGone(
                f"Run {named} is published, but its snapshot is gone from {folder.published}: restore it from the "
                "backup, or `boroughlink run --force`."
            )
        raise NothingPublished(f"Nothing is published in {folder.root} yet: `boroughlink run` comes first.")
    return folder.published / named
