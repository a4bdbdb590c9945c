"""`run --as-of DAY`: what a run on a past day would have published, built on copies, in a published folder of its own.

The history goes back to the extracts of that day, decisions and ids to where they stood; then the whole job runs. The
folder's own state is only read.
"""

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import date
from pathlib import Path

from pipelines import warehouse
from pipelines.commit_point import Current, alone_with
from pipelines.definitions import Place, execute
from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.governance.actors import person
from pipelines.keys.keyring import Keyring
from pipelines.linkage.rewinding import last_run_by, rewind_ids
from pipelines.running.job import progress, say
from pipelines.running.preview import change_settings, copied
from pipelines.settings import DataFolder, load_settings
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import Contract
from pipelines.sources.intake import INTAKE
from pipelines.sources.rewinding import rewind_sources
from pipelines.warehouse import Warehouse


def reconstruct(folder: DataFolder, day: date, sources: str | None) -> str:
    """Publish `day` under `as-of/<day>` and say so. It holds the folder's lock as a run does.

    Raises BoroughlinkError for a day that is not past or before the first extract, and when a step fails.
    """
    if Current.read(folder).state is None:
        raise BoroughlinkError(f"Nothing was ever run in {folder.root}: there is no past day to go back to.")
    if day >= load_settings(folder).today():
        raise BoroughlinkError(f"{day} is not past: `boroughlink run` serves today.")
    place = Place.of(folder.root, None, sources)
    with alone_with(folder, "a past day") as operations:
        outcome = "failed"
        try:
            with copied(folder, "as-of") as copy:
                ids = _rebuilt(copy, place, operations.keyring, day)
                _publish(copy, folder.reconstruction(day))
            outcome = "published"
        finally:
            audit.record(operations, person(), "past day reconstructed", day.isoformat(), outcome=outcome)
    return (
        f"{day} stands in {folder.reconstruction(day)}, with {ids}. Reading commands show it with --as-of {day}; "
        "what is published today is untouched."
    )


def _rebuilt(copy: DataFolder, place: Place, keyring: Keyring, day: date) -> str:
    """Run the whole job on the copy as it stood on the day; says whose ids its persons carry."""
    copy.identity.unlink()  # it is a link, and this copy is written into
    shutil.copyfile(place.folder.identity, copy.identity)
    change_settings(copy, {"clock": day.isoformat()})
    say(f"Going back to {day}")
    ids = _rewind(copy, keyring, load_contracts(place.sources).values(), day)
    with progress():
        fine, faults = execute(Place(copy, copy.landing, place.sources, notices=False), person())
    if not fine:
        raise BoroughlinkError(f"{day} could not be reconstructed: " + (" ".join(faults) or "a step failed."))
    return ids


def _publish(copy: DataFolder, target: Path) -> None:
    """Move what the copy has published, and no earlier run, to its own folder."""
    target.parent.mkdir(exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    made = Current.read(copy).published
    for earlier in copy.published.iterdir():
        if earlier.is_dir() and earlier.name != made:
            shutil.rmtree(earlier)
    copy.published.replace(target)


def _rewind(copy: DataFolder, keyring: Keyring, contracts: Iterable[Contract], day: date) -> str:
    """Take the copy back; says whose ids its persons carry."""
    settings = load_settings(copy)
    zones = {"identity": (copy.identity, keyring.key("identity"))}
    with warehouse.opened(zones, copy.temp, (copy.root,), settings.memory_limit, settings.threads) as con:
        wh = Warehouse(con, "as-of", day)
        run_id = last_run_by(wh, day, INTAKE)
        if not rewind_sources(wh, contracts, day):
            raise BoroughlinkError(f"No extract is dated {day} or before: there is nothing to reconstruct.")
        if run_id:
            rewind_ids(wh, run_id)
        wh.execute("CHECKPOINT identity")
    _forget_decisions(copy, day)
    return f"the ids of run {run_id}" if run_id else "today's ids, because no run ended before later extracts came"


def _forget_decisions(copy: DataFolder, day: date) -> None:
    """Take what was decided after the day out of the copy, whose store is thrown away with it."""
    with closing(sqlite3.connect(copy.operations)) as store, store:
        for (trigger,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f'DROP TRIGGER "{trigger}"')
        store.execute("DELETE FROM decision WHERE substr(made_at, 1, 10) > ?", [day.isoformat()])
