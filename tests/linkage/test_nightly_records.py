"""people.record and record_address after random nights are those of a run from nothing."""

from datetime import date, timedelta

import numpy as np
import pytest

from pipelines.people.records import BASIS, RECORD, RECORD_ADDRESS, STANDARDISED, build_record, build_record_address
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.linkage.facts_of_town import EACH_PERSON, load
from tests.linkage_models.small_town import SOURCES, build

VIEWS = {"all": SOURCES}
PROPERTY = "identity.places.property"
# What may happen in a night; {some} picks records by chance.
EVENTS = (
    "UPDATE identity.facts.person_record SET surname = surname || 'SON' WHERE {some}",
    "UPDATE identity.facts.person_record SET role = 'elector' WHERE {some}",
    "UPDATE identity.facts.person_record SET sensitivity = 'adoption' WHERE {some}",
    "UPDATE identity.facts.person_record SET sensitivity = NULL WHERE sensitivity IS NOT NULL",
    "UPDATE identity.facts.person_record SET valid_to = extract_date WHERE {some}",
    "UPDATE identity.facts.residence SET to_date = DATE '2026-11-15' WHERE {some}",
    "DELETE FROM identity.facts.residence WHERE {some}",
    "INSERT INTO identity.facts.residence SELECT * REPLACE (from_date + 40 AS from_date,"
    " 'benefits:' || split_part(split_part(record_id, ':', 2), '#', 1) AS address_id)"
    " FROM identity.facts.residence WHERE {some}",
    "UPDATE identity.places.address_uprn SET uprn = uprn + 1 WHERE hash(address_id, {seed}) % 40 = 0",
    f"UPDATE {PROPERTY} SET is_communal = NOT is_communal WHERE hash(uprn, {{seed}}) % 40 = 0",
    # another occupant in the same slot
    "UPDATE identity.facts.person_record SET forename = 'ALEX', occupant = 2 WHERE {some}",
    # a source begins or ends to hold everybody once: a rule that all its records follow
    "INSERT INTO identity.facts.person_record SELECT * REPLACE (record_id || '{seed}' AS record_id,"
    " source_key || '{seed}' AS source_key) FROM identity.facts.person_record WHERE source = 'benefits'"
    " AND valid_to IS NULL AND hash(record_id, {seed}) % 8 = 0",
)  # fmt: skip


def told(wh: Warehouse) -> list[list[tuple[object, ...]]]:
    build_record_address(wh, VIEWS)
    build_record(wh, b"k" * 32, EACH_PERSON)
    return [wh.rows(f"FROM {table} ORDER BY ALL") for table in (RECORD, RECORD_ADDRESS, STANDARDISED)]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(2, 12))])
def test_after_random_nights_records_are_those_of_a_run_from_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    with scratch_warehouse() as wh:
        load(wh, build(120, seed=5))
        wh.table(PROPERTY, "SELECT DISTINCT uprn, uprn % 50 = 0 AS is_communal FROM identity.places.address_uprn")
        told(wh)
        for night in range(5):
            for event in rng.choice(len(EVENTS), 2, replace=False).tolist():
                number = int(rng.integers(1_000_000))
                wh.execute(EVENTS[event].format(some=f"hash(record_id, {number}) % 50 = 0", seed=number))
            wh.as_of = date(2026, 11, 1) + timedelta(days=4 * night)
            found = told(wh)
            for table in (RECORD, RECORD_ADDRESS, STANDARDISED, BASIS):
                wh.execute(f"DROP TABLE {table}")
            assert told(wh) == found
