"""Where releases are made."""

from dataclasses import dataclass

from pipelines.governance.purposes import Purposes
from pipelines.operations import Operations
from pipelines.settings import DataFolder, Settings


@dataclass(frozen=True)
class Desk:
    """A data folder, its settings, its store with the keys of releasing alone, and the purposes of today."""

    folder: DataFolder
    settings: Settings
    operations: Operations
    purposes: Purposes
