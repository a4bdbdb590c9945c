from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.sources.library import make_contract


@pytest.fixture
def wh() -> Iterator[Warehouse]:
    with scratch_warehouse(as_of=date(2026, 11, 30)) as warehouse:
        yield warehouse


@pytest.fixture
def library(tmp_path: Path) -> Contract:
    return make_contract(tmp_path)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    (tmp_path / "landing").mkdir()
    return tmp_path / "landing"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    (tmp_path / "archive").mkdir()
    return Archive(tmp_path / "archive", b"k" * 32)
