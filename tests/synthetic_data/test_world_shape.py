"""The borough looks like the census says, and another seed gives another one."""

from datetime import date

import polars as pl
import pytest

from synthetic_data.vocabulary import british_surnames, feminine
from synthetic_data.world import World, build_world, load_facts

AS_OF = date(2026, 10, 31)


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(4_000, 2, AS_OF)


def test_another_seed_gives_another_world() -> None:
    first, second = (build_world(500, seed, AS_OF).persons["surname"].to_list() for seed in (1, 2))
    assert first != second


def test_household_size(world: World) -> None:
    occupied = world.households.filter(pl.col("to_date").is_null()).height
    assert 2.2 < 4_000 / occupied < 2.5


def test_age_pyramid(world: World) -> None:
    counts = load_facts()["ages"]
    now = world.residences.filter(pl.col("to_date").is_null() & pl.col("uprn").is_not_null()).select("person_id")
    years = (pl.lit(AS_OF) - pl.col("birth_date")).dt.total_days() / 365.2425
    ages = world.persons.join(now, on="person_id").select(age=years)["age"]
    for low, high in ((0, 15), (15, 65), (65, 75), (75, 200)):
        expected = sum(c for i, c in enumerate(counts) if low <= i * 5 < high) / sum(counts)
        share = ages.is_between(low, high, closed="left").mean()
        assert share == pytest.approx(expected, abs=0.03), (low, high)


def test_tenure_and_discount_shares(world: World) -> None:
    homes = world.properties.filter(pl.col("is_dwelling"))
    share = dict(homes["tenure"].value_counts(normalize=True).iter_rows())
    assert 0.25 < share["owned"] < 0.38 and 0.20 < share["private_rent"] < 0.34 and 0.03 < share["council"] < 0.13
    spd = world.ct_discounts.filter((pl.col("code") == "SPD") & pl.col("to_date").is_null()).height
    assert 0.26 < spd / len(homes) < 0.36


def test_registers_lag_behind_life(world: World) -> None:
    now = world.residences.filter(pl.col("to_date").is_null()).select("person_id", lives="uprn")
    wrong = world.electors.join(now, on="person_id").filter(pl.col("uprn") != pl.col("lives").fill_null(0)).height
    assert 0.01 < wrong / len(world.electors) < 0.12


def test_hard_negatives_exist(world: World) -> None:
    people = world.persons
    assert people["twin_of"].count() > 5
    assert people["named_after"].count() > 3
    fathers = people.filter(pl.col("named_after").is_not_null()).join(
        people.select("person_id", "forename"), left_on="named_after", right_on="person_id", suffix="_parent"
    )
    assert fathers.filter(pl.col("forename") != pl.col("forename_parent")).is_empty()
    reused = world.ct_liable.group_by("account_ref", "slot").agg(pl.col("person_id").n_unique().alias("people"))
    assert reused.filter(pl.col("people") > 1).height > 3
    assert {"care_home", "hmo", "students"} <= set(world.households["kind"])
    assert people["surname"].str.contains("-").any() and people["forename"].str.contains("[^A-Za-z' -]").any()


def test_british_surnames_have_a_common_head_and_a_long_tail() -> None:
    pool = british_surnames()
    assert 0.010 < pool.weights.max() < 0.014
    assert len(pool.words) > 15_000 and pool.weights.min() < 2e-5


@pytest.mark.parametrize(
    "surname, pool, expected",
    [
        ("Kowalski", "polish", "Kowalska"),
        ("Nowak", "polish", "Nowak"),
        ("Novák", "czech", "Nováková"),
        ("Svoboda", "czech", "Svobodová"),
        ("Veselý", "czech", "Veselá"),
        ("Krejčí", "czech", "Krejčí"),
        ("Hájek", "czech", "Hájková"),
        ("Dobrowski", "british", "Dobrowski"),
    ],
)
def test_feminine_forms(surname: str, pool: str, expected: str) -> None:
    assert feminine(surname, pool) == expected
