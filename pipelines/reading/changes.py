"""What differs between two published runs: `diff`."""

from typing import TYPE_CHECKING

from pipelines.keys.keyring import COMPARING
from pipelines.operations import opened_store
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder, load_settings

if TYPE_CHECKING:
    from pipelines.differences.comparing import Differences


def difference_of(folder: DataFolder, before: str | None, after: str | None) -> Answer:
    """What differs between two published runs; without names, between the last two."""
    from pipelines.differences.comparing import compare, published_run

    runs = published_run(folder, before, newest=1), published_run(folder, after)
    with opened_store(folder, COMPARING) as operations:
        found = compare(folder, load_settings(folder), operations.keyring, runs, operations.decisions())
    return told(found)


def told(found: "Differences") -> Answer:
    """Differences in words and tables."""
    from pipelines.differences.telling import sentences, tables

    return Answer(list(sentences(found)), tables(found), {"differences": found.plain()})
