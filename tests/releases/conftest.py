"""A data folder with attributes of 1,500 people and an opt-out list."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines.governance.opt_out import import_list
from pipelines.keys.keyring import Keyring
from pipelines.operations import Operations
from pipelines.settings import DataFolder
from pipelines.warehouse import scratch_warehouse
from tests.releases.borough import TODAY, lay, nhs_list, purposes
from tests.releases.desk import ANN, FIT, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    folder = DataFolder.at(tmp_path / "data").make()
    operations = Operations.open(folder, Keyring.ephemeral())
    import_list(operations, nhs_list(tmp_path / "list.csv", FIT), date(2026, 10, 25), TODAY, ANN)
    with scratch_warehouse(TODAY, "run-1") as wh:
        lay(wh, 1500)
        yield Desk(wh, folder, operations, purposes())
    operations.close()
