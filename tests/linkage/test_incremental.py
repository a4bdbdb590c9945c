"""A run after a change gives what a run from nothing gives, and scores only what changed."""

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest

from pipelines.linkage.edges import EDGE, SCORING, Linked, build_edge
from pipelines.people.records import build_record, build_record_address
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.linkage.facts_of_town import load
from tests.linkage_models.small_town import Town, build


def prepared(wh: Warehouse, records: pl.DataFrame) -> None:
    load(wh, Town(records, pl.DataFrame()))
    build_record_address(wh)
    build_record(wh, b"k" * 32)


def changed(records: pl.DataFrame, rng: np.random.Generator, share: float = 0.04) -> pl.DataFrame:
    """The records of the next delivery: some gone, some new under another key, some with another value."""
    fate = rng.random(records.height) / share
    kept = records.with_columns(pl.Series("fate", fate)).filter(pl.col("fate") > 0.25)
    other = pl.Series("other", rng.permutation(kept.height))
    swap = {
        column: pl.when(pl.col("fate").is_between(low, high)).then(pl.col(column).gather(other)).otherwise(column)
        for column, low, high in (
            ("surname", 0.25, 0.4), ("birth_date", 0.4, 0.55), ("home_key", 0.55, 0.7), ("forename", 0.65, 0.8),
        )
    }  # fmt: skip
    moved = kept.with_columns(**swap)
    copies = moved.filter(pl.col("fate").is_between(0.8, 1.0)).with_columns(
        pl.col("record_id", "source_key").str.replace("^([^#]*)", "${1}new")
    )
    return pl.concat([moved, copies]).drop("fate")


def edges(wh: Warehouse) -> list[tuple[object, ...]]:
    return wh.rows(f"FROM {EDGE}")


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    yield build(700, seed=17)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_edges_after_a_change_are_those_of_a_run_from_nothing(town: Town, seed: int) -> None:
    rng = np.random.default_rng(seed)
    with scratch_warehouse() as wh:
        prepared(wh, town.records)
        assert build_edge(wh).afresh == "no edges of an earlier run"
        records = changed(town.records, rng)
        prepared(wh, records)
        built: Linked = build_edge(wh)
        assert built.afresh is None and 0 < built.scored.pairs < built.pairs / 2
        assert all(built.changes[kind] for kind in ("new", "changed", "vanished", "unchanged"))
        found = edges(wh)
        wh.execute(f"DROP TABLE {SCORING}")
        assert build_edge(wh).afresh
        assert edges(wh) == found


def test_another_model_scores_all_pairs_and_says_so(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch_warehouse() as wh:
        prepared(wh, town.records)
        first = build_edge(wh)
        assert build_edge(wh).scored.pairs == 0
        other = first.model.for_population(first.model.population * 2)
        monkeypatch.setattr("pipelines.linkage.edges.choose_model", lambda *_: (other, "for the test"))
        found = build_edge(wh)
        assert found.afresh == "the model changed" and found.scored.pairs == found.pairs
