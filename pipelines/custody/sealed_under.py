"""What stands sealed under each key, found without any key: what would be lost with a key that an escrow lacks."""

from collections.abc import Collection, Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from pipelines.governance.erasure_grounds import ERASED
from pipelines.keys.for_good import KEY_DESTROYED
from pipelines.releases.building import BUILT
from pipelines.releases.register import ANSWERED
from pipelines.settings import DataFolder, load_settings
from pipelines.store_tables import audit_table, payload_table

#: Keys of what lies in the operational store, and the audit's words for what began to lie there.
STORE_KEYS = ("fields", "releases", "suppression")
_BY_EVENT = {
    ERASED: ("suppression", "the names of those who were erased"),
    ANSWERED: ("releases", "the questions that were answered"),
    BUILT: ("releases", "the keys of releases"),
}


def sealed_under(folder: DataFolder, names: Collection[str]) -> dict[str, str]:
    """Of these keys, those that something lies sealed under, and what. The key `ids` seals nothing; nor does one whose
    destruction the audit tells of any more."""
    told = dict(_files(folder)) | dict(_rows(folder))
    return {name: told[name] for name in sorted(names) if name in told and _gone(name) not in told}


def _files(folder: DataFolder) -> Iterator[tuple[str, str]]:
    where: dict[str, tuple[Path, ...]] = {
        "identity": (folder.identity,),
        "attributes": (folder.attributes, folder.published),
        "published": (folder.published,),
        "archive": (folder.archive, folder.models),
    }
    for name, paths in where.items():
        if held := next((path for path in paths if path.is_file() or (path.is_dir() and any(path.iterdir()))), None):
            yield name, str(held)


def _rows(folder: DataFolder) -> Iterator[tuple[str, str]]:
    url = load_settings(folder).operations_url
    if not url and not folder.operations.exists():
        return
    store = "the operational store"
    yield from (("audit", "the audit"), ("fingerprint", f"the names of records in {store}"))  # it begins with them
    engine = sa.create_engine(url or sa.URL.create("sqlite", database=str(folder.operations)), hide_parameters=True)
    try:
        with engine.connect() as db:
            if db.scalar(sa.select(sa.func.count()).select_from(payload_table)):
                yield "fields", f"texts in {store}"
            for event, about in db.execute(sa.select(audit_table.c.event, audit_table.c.object).distinct()):
                if event in _BY_EVENT:
                    yield _BY_EVENT[event]
                elif event == KEY_DESTROYED:
                    yield _gone(about), event
    except SQLAlchemyError:
        yield from ((name, f"{store}, which can't be read") for name in STORE_KEYS)
    finally:
        engine.dispose()


def _gone(name: str) -> str:
    return f"{name}, destroyed"
