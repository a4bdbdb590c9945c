"""Readiness over a small town: what it foretells without the truth is what the truth then shows."""

from collections.abc import Iterator
from heapq import nlargest
from operator import itemgetter

import polars as pl
import pytest

from linkage_models import thresholds as policy
from linkage_models.models import pinned
from pipelines.linkage.choice import PEOPLE_PER_DWELLING
from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.edges import build_edge
from pipelines.linkage.persons import MEMBERSHIP, build_persons
from pipelines.people.records import build_record, build_record_address
from pipelines.places.gazetteer import PROPERTY
from pipelines.readiness.measuring import BLOCKING, GROUP, MEND, PAIR, ROW, SOURCE, build_readiness
from pipelines.readiness.readiness_data import readiness_data
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.linkage.facts_of_town import EACH_PERSON, load
from tests.linkage_models.small_town import FEMALE, MALE, SOURCES, Names, Town, build

VIEWS = {"data_quality": list(SOURCES)}


# Of those who bear names that the shipped model knows: the 200 commonest surnames, and some forenames.
KNOWN = pinned().terms
NAMES = Names(
    {name: KNOWN["forename"][name] for name in FEMALE + MALE},
    dict(nlargest(200, ((name, share) for name, share in KNOWN["surname_key"].items() if name), itemgetter(1))),
)
PEOPLE = 6000


def linked(wh: Warehouse, town: Town) -> None:
    load(wh, town)
    wh.table(
        PROPERTY,
        f"SELECT range AS uprn, false AS is_communal, true AS is_dwelling, true AS is_current, NULL::VARCHAR AS ward"
        f" FROM range(1, {round(PEOPLE / PEOPLE_PER_DWELLING)})",
    )
    build_record_address(wh)
    build_record(wh, b"k" * 32, EACH_PERSON)
    build_edge(wh)
    load_decisions(wh, [])
    build_persons(wh, VIEWS, b"i" * 32)


def true_links(wh: Warehouse, town: Town) -> tuple[int, int]:
    """True pairs that are linked, and all."""
    with wh.given(town.truth):
        ((found, real),) = wh.rows(
            f"""SELECT count(*) FILTER (l.person_id = r.person_id), count(*)
            FROM given a JOIN given b ON a.person_id = b.person_id AND a.record_id < b.record_id
            JOIN {MEMBERSHIP} l ON l.record_id = a.record_id JOIN {MEMBERSHIP} r ON r.record_id = b.record_id"""
        )
    return int(found), int(real)


@pytest.fixture(scope="module")
def whole() -> Town:
    return build(PEOPLE, seed=5, given=NAMES)


@pytest.fixture(scope="module")
def worn(whole: Town) -> Town:
    """The town with a tenancy system that has lost its numbers and addresses, and of every other row the birth date."""
    lost = pl.col("source") == "housing"
    every_other = lost & (pl.int_range(pl.len()) % 2 == 0)
    blank = {name: pl.when(~lost).then(pl.col(name)) for name in ("nino", "phone", "email", "home_key", "postcode")}
    return Town(
        whole.records.with_columns(**blank, birth_date=pl.when(~every_other).then(pl.col("birth_date"))), whole.truth
    )


@pytest.fixture(scope="module")
def measured(worn: Town) -> Iterator[Warehouse]:
    with scratch_warehouse() as wh:
        linked(wh, worn)
        build_readiness(wh, policy.CLUSTER_STOP)
        yield wh


def test_expected_recall_is_near_the_true_one(measured: Warehouse, worn: Town) -> None:
    ((linked_pairs, missed),) = measured.rows(f"SELECT sum(linked), sum(missed) FROM {PAIR}")
    found, real = true_links(measured, worn)
    assert float(linked_pairs / (linked_pairs + missed)) == pytest.approx(found / real, abs=0.1)


def test_mending_what_is_named_first_in_a_source_wins_what_was_foretold(
    measured: Warehouse, worn: Town, whole: Town
) -> None:
    ((field, rows, links),) = measured.rows(
        f"SELECT field, rows, links FROM {MEND} WHERE source = 'housing' AND rank_in_source = 1"
    )
    assert field == "birth_date"
    named = measured.frame(f"SELECT record_id FROM {ROW} WHERE source = 'housing' AND field = 'birth_date'")[
        "record_id"
    ]
    assert rows == len(named) > 0
    told = whole.records.select("record_id", known="birth_date")
    mended = worn.records.join(told, on="record_id").with_columns(
        birth_date=pl.when(pl.col("record_id").is_in(named.implode())).then("known").otherwise("birth_date")
    )
    before, _ = true_links(measured, worn)
    with scratch_warehouse() as wh:
        linked(wh, Town(mended.drop("known"), worn.truth))
        after, _ = true_links(wh, worn)
    # without any address many pairs stay uncompared, which a forecast leaves out; benchmarks/readiness.py has the goal
    assert after - before == pytest.approx(links, rel=0.3)


def test_the_tables_are_counts_of_sources_pairs_and_groups(measured: Warehouse) -> None:
    rows = measured.rows(f"SELECT source, records, unlinkable, birth_date FROM {SOURCE}")
    assert {source for source, *_ in rows} == set(SOURCES)
    assert all(0 <= unlinkable <= records and 0 <= filled <= 1 for _, records, unlinkable, filled in rows)
    assert measured.rows(f"SELECT count(*) FROM {GROUP} WHERE records < 100") == [(0,)]
    assert dict(measured.rows(f"FROM {BLOCKING}")).keys() == {"", *SOURCES}
    assert not any("record_id" in measured.columns(table) for table in (SOURCE, PAIR, GROUP, MEND, BLOCKING))


def test_a_run_of_before_ranges_were_told_is_still_read(measured: Warehouse) -> None:
    told = [each.links_in_words for each in readiness_data(measured, "identity").mends if each.rows]
    assert told and all(" to " in each for each in told)
    assert readiness_data(measured, "identity").largest_block
    kept = measured.frame(f"FROM {MEND}")
    try:
        with measured.given(kept.drop("low", "high")):
            measured.table(MEND, "-- one row per source and field\nFROM given")
        old = [each.links_in_words for each in readiness_data(measured, "identity").mends if each.rows]
        assert old and not any(" to " in each for each in old)
    finally:
        with measured.given(kept):
            measured.table(MEND, "-- one row per source and field\nFROM given")
