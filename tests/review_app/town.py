"""A small town, linked and published by the real steps of a run: what the app's tests look at."""

from pathlib import Path

import polars as pl

from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.edges import build_edge
from pipelines.linkage.homes import build_households, build_property_id
from pipelines.linkage.persons import build_persons
from pipelines.people.records import build_record, build_record_address
from pipelines.publication.snapshot import build_snapshot
from pipelines.review.queue import build_queue
from pipelines.runs import Run
from pipelines.settings import DataFolder, write_settings
from tests.linkage.facts_of_town import load
from tests.linkage_models.small_town import SOURCES, Town, build

VIEWS = {"data_quality": list(SOURCES), "fraud": ["council_tax", "benefits", "electoral_register", "housing"]}
#: Flags of protection that some of the town's records carry: one cluster on the restricted queue comes of it.
RESTRICTED = 25


def found(root: Path, people: int = 260, seed: int = 11) -> tuple[DataFolder, Town]:
    """A data folder with the town published once."""
    folder, town = DataFolder.at(root), build(people, seed)
    folder.make()
    write_settings(folder, council="Testborough Council", clock="2026-10-31", threads=1, memory_limit="1GB")
    publish(folder, town)
    return folder, town


def publish(folder: DataFolder, town: Town) -> str:
    """One run over the town, with the decisions that stand; returns its name."""
    run = Run.begin(folder, "a test")
    try:
        with run.warehouse(("identity", "published")) as wh:
            load(wh, town)
            _protect(wh)
            build_record_address(wh)
            build_record(wh, run.keyring.key("fingerprint"))
            build_edge(wh)
            load_decisions(wh, run.operations.decisions())
            build_persons(wh, VIEWS, run.keyring.key("ids"))
            build_property_id(wh, run.keyring.key("ids"))
            build_households(wh, VIEWS, run.keyring.key("ids"))
            build_queue(wh, run.keyring)
            build_snapshot(wh)
        run.publish_with("of a test")
        run.commit()
    except BaseException:
        run.abandon("a test failed")
        raise
    return run.run_id


def _protect(wh: "object") -> None:
    """Mark some records as those of protected people, the same ones each time."""
    wh.execute(  # type: ignore[attr-defined]
        "UPDATE identity.facts.person_record SET sensitivity = 'restricted' WHERE record_id IN ("
        f"SELECT record_id FROM identity.facts.person_record ORDER BY md5(record_id) LIMIT {RESTRICTED})"
    )


def renamed(town: Town, record_id: str, surname: str) -> Town:
    """The town with another surname on a record."""
    changed = town.records.with_columns(
        pl.when(pl.col("record_id") == record_id).then(pl.lit(surname)).otherwise(pl.col("surname")).alias("surname")
    )
    return Town(**(vars(town) | {"records": changed}))
