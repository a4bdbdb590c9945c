"""The operational store, opened for an act of custody with no more keys than it needs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pipelines.faults import BoroughlinkError
from pipelines.governance.approvals import role_needed as role  # noqa: F401 - said here for every act of custody
from pipelines.governance.keys import STORE
from pipelines.operations import Operations, opened_store
from pipelines.settings import DataFolder


@contextmanager
def opened(folder: DataFolder, keys: Iterable[str] = STORE) -> Iterator[Operations]:
    """Raises BoroughlinkError when there is no data folder, or its keys don't open."""
    if not folder.keys.is_dir():
        raise BoroughlinkError(f"There is no data folder at {folder.root}.")
    with opened_store(folder, keys) as operations:
        yield operations
