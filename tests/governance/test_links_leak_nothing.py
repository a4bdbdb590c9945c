"""For each purpose and each source of care, mortality or registers that it may not read: without every record of that
source its view is the same, byte for byte."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache

import polars as pl
import pytest

from pipelines.governance.purposes import VIEWS, Purposes
from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.doubts import REVIEW_EDGE
from pipelines.linkage.edges import build_edge
from pipelines.linkage.homes import HOUSEHOLD, HOUSEHOLD_MEMBER, build_households, build_property_id
from pipelines.linkage.persons import MEMBERSHIP, PERSON, build_persons
from pipelines.people.records import build_record, build_record_address
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.warehouse import scratch_warehouse
from tests.linkage.facts_of_town import load
from tests.linkage_models.small_town import Town, build

PURPOSES = Purposes.load(load_contracts(SHIPPED_SOURCES).values(), date(2026, 10, 31))
#: Care, mortality and registers; each is given records of the small town that another system had.
KEPT_APART = {
    "adult_social_care": None,
    "electoral_register": None,
    "deaths": "electoral_register",
    "births": "housing",
    "marriages": "electoral_register",
    "mortality": "benefits",
    "schools": "housing",
    "youth_support": "benefits",
}
TABLES = (MEMBERSHIP, PERSON, REVIEW_EDGE, HOUSEHOLD, HOUSEHOLD_MEMBER)
PAIRS = [
    (name, source)
    for name, purpose in PURPOSES.purposes.items()
    if purpose.view != "none"
    for source in KEPT_APART
    if source not in PURPOSES.sources(name)
]


@cache
def town() -> Town:
    """The small town, with a tenth of some systems' records moved to each further source."""
    made = build(600, seed=11)
    records = made.records.with_row_index("nr")
    for place, (source, lender) in enumerate(KEPT_APART.items()):
        if lender:
            lent = (pl.col("source") == lender) & (pl.col("nr") % 10 == place)
            records = records.with_columns(
                source=pl.when(lent).then(pl.lit(source)).otherwise("source"),
                record_id=pl.when(lent).then(pl.lit(f"{source}:") + pl.col("source_key") + "#1").otherwise("record_id"),
            )
    assert set(KEPT_APART) <= set(records["source"])
    return replace(made, records=records.drop("nr"))


@cache
def views(without: str | None) -> dict[tuple[str, str], bytes]:
    """Every table of every view, as bytes, linked without the records of a source."""
    with scratch_warehouse() as wh:
        load(wh, town(), (without,) if without else ())
        build_record_address(wh)
        build_record(wh, b"k" * 32)
        may_read = {view: PURPOSES.sources(view) for view in VIEWS}
        build_edge(wh, may_read)
        load_decisions(wh, [])
        build_persons(wh, may_read, b"i" * 32)
        build_property_id(wh, b"i" * 32)
        build_households(wh, may_read, b"i" * 32)
        return {
            (view, table): repr(wh.rows(f"SELECT * FROM {table} WHERE view = '{view}'")).encode()
            for view in VIEWS
            for table in TABLES
        }


@pytest.fixture(scope="module", autouse=True)
def _forget() -> Iterator[None]:
    yield
    views.cache_clear()
    town.cache_clear()


def test_every_purpose_has_a_source_that_it_may_not_read() -> None:
    assert {purpose for purpose, _ in PAIRS} >= {"fraud", "risk", "commissioning", "research", "partner"}
    assert {source for _, source in PAIRS} >= {"adult_social_care", "electoral_register", "deaths", "mortality"}


@pytest.mark.parametrize(("purpose", "source"), PAIRS)
def test_without_the_records_that_a_purpose_may_not_read_it_sees_the_same(purpose: str, source: str) -> None:
    view = PURPOSES.purposes[purpose].view
    whole, less = views(None), views(source)
    for table in TABLES:
        assert whole[view, table] == less[view, table], table
    assert (
        whole["data_quality", MEMBERSHIP] != less["data_quality", MEMBERSHIP]
    )  # the source did link somebody somewhere
