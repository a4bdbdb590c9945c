"""Tests run in two processes side by side (`make test`), each on one thread; the longest come first."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # before anything imports it; the commands that tests start inherit it

# Files by what they cost; a process takes the next whole file.
LONGEST = ("end_to_end",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        parts = Path(item.path).parts
        return next((rank for rank, part in enumerate(LONGEST) if part in parts), len(LONGEST))

    items.sort(key=place)
