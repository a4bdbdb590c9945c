"""The world holds together: nobody lives twice, before birth or after death, and every reference leads somewhere."""

from datetime import date

import polars as pl
import pytest

from synthetic_data.schemas import SCHEMAS
from synthetic_data.world import World, build_world

AS_OF = date(2026, 10, 31)
PEOPLE = 1_500


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(PEOPLE, 13, AS_OF)


def present(world: World) -> pl.DataFrame:
    return world.residences.filter(pl.col("to_date").is_null() & pl.col("uprn").is_not_null())


def test_frames_have_their_schemas(world: World) -> None:
    for name, schema in SCHEMAS.items():
        assert dict(getattr(world, name).schema) == schema, name
        assert len(getattr(world, name)) > 0 or name == "hazards", name  # one month has none


def test_exactly_so_many_people_live_there_once_each(world: World) -> None:
    assert len(present(world)) == PEOPLE
    assert present(world)["person_id"].n_unique() == PEOPLE


def test_stays_of_a_person_do_not_overlap(world: World) -> None:
    stays = world.residences.sort("person_id", "from_date").with_columns(
        following=pl.col("from_date").shift(-1).over("person_id")
    )
    assert stays.filter(pl.col("from_date") >= pl.col("to_date")).is_empty()
    assert stays.filter(pl.col("following") < pl.col("to_date").fill_null(AS_OF)).is_empty()


def test_households_of_a_home_do_not_overlap(world: World) -> None:
    homes = world.households.sort("uprn", "from_date").with_columns(
        following=pl.col("from_date").shift(-1).over("uprn")
    )
    assert homes.filter(pl.col("following") < pl.col("to_date").fill_null(AS_OF)).is_empty()


def test_nobody_lives_before_birth_or_after_death(world: World) -> None:
    stays = world.residences.join(world.persons.select("person_id", "birth_date", "death_date"), on="person_id")
    assert stays.filter(pl.col("from_date") < pl.col("birth_date")).is_empty()
    assert stays.filter(pl.col("death_date") < pl.col("to_date").fill_null(AS_OF)).is_empty()


def test_the_last_name_is_the_name_borne(world: World) -> None:
    last = world.names.filter(pl.col("to_date").is_null()).join(world.persons, on="person_id", suffix="_now")
    assert len(last) == len(world.persons)
    assert last.filter(pl.col("surname") != pl.col("surname_now")).is_empty()
    assert last.filter(pl.col("forename") != pl.col("forename_now")).is_empty()


@pytest.mark.parametrize(
    "frame, column, home, key",
    [
        ("residences", "uprn", "properties", "uprn"),
        ("residences", "household_id", "households", "household_id"),
        ("households", "uprn", "properties", "uprn"),
        ("properties", "usrn", "streets", "usrn"),
        ("properties", "successor_uprn", "properties", "uprn"),
        ("properties", "parent_uprn", "properties", "uprn"),
        ("streets", "lsoa", "areas", "lsoa"),
        ("ct_accounts", "property_uprn", "properties", "uprn"),
        ("ct_liable", "account_ref", "ct_accounts", "account_ref"),
        ("ct_liable", "person_id", "persons", "person_id"),
        ("ct_discounts", "account_ref", "ct_accounts", "account_ref"),
        ("claims", "ctax_account_ref", "ct_accounts", "account_ref"),
        ("claim_houses", "claim_id", "claims", "claim_id"),
        ("claim_members", "claim_id", "claims", "claim_id"),
        ("tenancies", "uprn", "properties", "uprn"),
        ("tenancy_members", "house_ref", "tenancies", "house_ref"),
        ("tenancy_members", "person_id", "persons", "person_id"),
        ("electors", "uprn", "properties", "uprn"),
        ("care_clients", "person_id", "persons", "person_id"),
        ("care_events", "care_id", "care_clients", "care_id"),
        ("death_registrations", "person_id", "persons", "person_id"),
    ],
)
def test_every_reference_leads_somewhere(world: World, frame: str, column: str, home: str, key: str) -> None:
    used = getattr(world, frame)[column].drop_nulls()
    known = getattr(world, home)[key]
    assert used.filter(~used.is_in(known.implode())).is_empty()


@pytest.mark.parametrize(
    "frame, key",
    [
        ("properties", ["uprn"]),
        ("persons", ["person_id"]),
        ("persons", ["nhs_number"]),
        ("ct_accounts", ["account_ref"]),
        ("ct_liable", ["account_ref", "slot", "party_ref"]),
        ("claims", ["claim_id"]),
        ("claim_members", ["claim_id", "house_id", "member_id"]),
        ("claim_members", ["claim_id", "house_id", "person_ref"]),
        ("tenancies", ["tag_ref"]),
        ("tenancy_members", ["house_ref", "person_no"]),
        ("electors", ["elector_id"]),
        ("care_clients", ["care_id"]),
        ("care_events", ["event_ref"]),
        ("death_registrations", ["registration_id"]),
    ],
)
def test_keys_are_unique(world: World, frame: str, key: list[str]) -> None:
    assert not getattr(world, frame).select(key).is_duplicated().any()


def test_no_postcode_is_real(world: World) -> None:
    inward = world.properties["postcode"].str.slice(-2)
    assert inward.str.contains("[CIKMOV]").all()


def test_nhs_numbers_have_a_right_check_digit(world: World) -> None:
    digits = [[int(c) for c in number] for number in world.persons["nhs_number"].head(300)]
    for d in digits:
        assert sum(x * w for x, w in zip(d, [*range(10, 1, -1), 1], strict=True)) % 11 == 0


def test_telephone_numbers_tell_people_apart_and_are_nobodys(world: World) -> None:
    held = world.persons.drop_nulls("phone")
    assert held["phone"].str.contains(r"^(07700900|01632960)\d{6}$").all()
    mobiles = held.filter(pl.col("phone").str.starts_with("07"))
    assert 0.9 < mobiles["phone"].n_unique() / mobiles.height < 1


def test_too_small_a_borough_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 500"):
        build_world(200, 1, AS_OF)
