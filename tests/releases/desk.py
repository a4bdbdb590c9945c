"""A folder with its store and attributes, on which tests make releases, and who makes them."""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage
import sqlalchemy as sa

from pipelines.governance.actors import Actor
from pipelines.governance.purposes import Purposes
from pipelines.operations import Operations
from pipelines.releases import desk
from pipelines.releases.building import build
from pipelines.releases.lifecycle import check, publish
from pipelines.releases.sets import load_set
from pipelines.settings import DataFolder, Settings
from pipelines.store_tables import audit_table
from pipelines.warehouse import Warehouse
from tests.releases.borough import TODAY

ANN, BOB = Actor("ann"), Actor("bob")
SETTINGS = Settings(clock=TODAY)
KEY = pyrage.x25519.Identity.generate()
RECIPIENT = str(KEY.to_public())
FIT = "9990000018"


@dataclass
class Desk:
    """A folder with its store and attributes, and the purposes of the day."""

    wh: Warehouse
    folder: DataFolder
    operations: Operations
    purposes: Purposes
    settings: Settings = SETTINGS

    @property
    def at(self) -> desk.Desk:
        return desk.Desk(self.folder, self.settings, self.operations, self.purposes)

    def built(self, name: str = "risk_stratification", who: Actor = ANN, **more: Any) -> str:
        manifest = build(self.wh, self.at, load_set(name), who, **more)
        return str(manifest["release_id"])

    def checked(self, name: str = "risk_stratification", who: Actor = ANN, **more: Any) -> str:
        release_id = self.built(name, who, **more)
        check(self.wh, self.at, release_id, RECIPIENT, who)
        return release_id

    def published(self, release_id: str, out: Path, who: Actor = ANN) -> Path:
        return publish(self.at, release_id, out, who)

    def events(self) -> list[tuple[str, str]]:
        with self.operations.begin() as db:
            return [
                (row.actor, row.event)
                for row in db.execute(sa.select(audit_table.c.actor, audit_table.c.event).order_by(audit_table.c.seq))
            ]


def opened(path: Path, key: Any = KEY) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(path.read_bytes(), [key]))) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar.getmembers()}  # type: ignore[union-attr]
