"""Planted cases: every kind is there, as true as it claims to be, with look-alikes beside it; the rest is honest."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

import synthetic_data
from synthetic_data.world import World, build_world

AS_OF = date(2026, 10, 31)
SOURCES = {
    "council_tax": ("ct_accounts", "account_ref"),
    "housing": ("tenancies", "tag_ref"),
    "electoral_register": ("electors", "elector_id"),
    "deaths": ("death_registrations", "registration_id"),
}


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(3_000, 5, AS_OF)


def kinds() -> dict[str, dict[str, object]]:
    text = (Path(synthetic_data.__file__).parent / "planted.yaml").read_text(encoding="utf-8")
    rules: dict[str, dict[str, object]] = yaml.safe_load(text)["kinds"]
    return rules


def test_every_kind_is_planted_at_least_twice(world: World) -> None:
    counts = dict(world.planted.group_by("kind").len().iter_rows())
    assert {kind: counts.get(kind, 0) >= 2 for kind in kinds()} == dict.fromkeys(kinds(), True)


def test_a_tiny_borough_has_nearly_every_kind() -> None:
    found = build_world(500, 1, AS_OF).planted["kind"].unique().to_list()
    assert set(found) == set(kinds())


def test_look_alikes_are_as_many_as_wrongs(world: World) -> None:
    table = world.planted.group_by("rule").agg(guilty=pl.col("guilty").sum(), innocent=(~pl.col("guilty")).sum())
    assert table.filter(pl.col("innocent") < pl.col("guilty")).is_empty()


def test_both_records_of_a_case_exist(world: World) -> None:
    for side in ("subject", "other"):
        for source, (frame, key) in SOURCES.items():
            used = world.planted.filter(pl.col(f"{side}_source") == source)[f"{side}_ref"]
            assert used.filter(~used.is_in(getattr(world, frame)[key].implode())).is_empty(), (side, source)


def counted_adults(world: World) -> pl.DataFrame:
    """One row a live single person discount: account_ref, counted adults at home."""
    stays = world.residences.filter(pl.col("to_date").is_null() & pl.col("household_id").is_not_null())
    of_age = pl.col("birth_date").dt.offset_by("18y") <= AS_OF
    adults = stays.join(world.persons.filter(of_age), on="person_id").select("person_id", "household_id")
    homes = world.households.filter(pl.col("to_date").is_null()).select("household_id", "uprn")
    marks = world.ct_discounts.filter((pl.col("kind") == "R") & pl.col("to_date").is_null()).select(
        "account_ref", "person_id", marked=pl.lit(True)
    )
    spd = world.ct_discounts.filter((pl.col("code") == "SPD") & pl.col("to_date").is_null()).select("account_ref")
    accounts = world.ct_accounts.filter(pl.col("end_date").is_null()).join(spd, on="account_ref")
    rows = (
        accounts.select("account_ref", uprn="property_uprn")
        .join(homes, on="uprn")
        .join(adults, on="household_id")
        .join(marks.unique(), on=["account_ref", "person_id"], how="left")
    )
    return rows.group_by("account_ref").agg(counted=pl.col("marked").is_null().sum())


def test_honest_discounts_have_one_counted_adult_but_for_late_notices(world: World) -> None:
    cases = world.planted.filter(pl.col("subject_source") == "council_tax")["subject_ref"]
    honest = counted_adults(world).filter(~pl.col("account_ref").is_in(cases.implode()))
    assert honest.filter(pl.col("counted") != 1).height / honest.height < 0.05
    assert honest["counted"].max() == 2


def test_false_discounts_have_a_second_counted_adult_on_the_register_there(world: World) -> None:
    cases = world.planted.filter(pl.col("kind") == "spd_second_adult")
    found = cases.join(counted_adults(world), left_on="subject_ref", right_on="account_ref", how="left")
    assert found["counted"].to_list() == [2] * len(cases)
    listed = cases.join(world.electors, left_on="other_ref", right_on="elector_id")
    assert listed.filter(pl.col("uprn") != pl.col("uprns").list.first()).is_empty()


def test_disregarded_adults_are_marked_and_true(world: World) -> None:
    cases = world.planted.filter(pl.col("kind") == "spd_disregarded_adult").with_columns(
        person_id=pl.col("person_ids").list.last()
    )
    marked = cases.join(
        world.ct_discounts.filter(pl.col("kind") == "R"),
        left_on=["subject_ref", "person_id"],
        right_on=["account_ref", "person_id"],
    )
    assert len(marked) == len(cases)
    people = cases.join(world.persons, on="person_id")
    assert people.filter(~(pl.col("is_student") | pl.col("smi"))).is_empty()


def test_people_who_just_moved_live_elsewhere(world: World) -> None:
    cases = world.planted.filter(pl.col("kind") == "spd_adult_just_moved").with_columns(
        person_id=pl.col("person_ids").list.last(), at=pl.col("uprns").list.first()
    )
    homes = cases.join(world.residences.filter(pl.col("to_date").is_null()), on="person_id")
    assert homes.filter(pl.col("uprn") == pl.col("at")).is_empty()


def test_a_sublet_home_is_lived_in_by_others(world: World) -> None:
    for case in world.planted.filter(pl.col("kind") == "sublet").iter_rows(named=True):
        tenant, (home, own) = case["person_ids"][0], case["uprns"]
        now = world.residences.filter(pl.col("to_date").is_null())
        assert now.filter(pl.col("person_id") == tenant)["uprn"].to_list() == [own]
        others = now.filter(pl.col("uprn") == home)["person_id"]
        assert len(others) > 0 and tenant not in others.to_list()
        tenancy = world.tenancies.filter(pl.col("tag_ref") == case["subject_ref"])
        members = tenancy.join(world.tenancy_members, on="house_ref")
        assert members["person_id"].to_list() == [tenant]
        assert tenancy["end_date"].to_list() == [None]


def test_two_tenancies_are_one_person_and_namesakes_are_two(world: World) -> None:
    holders = (
        world.tenancies.filter(pl.col("end_date").is_null())
        .join(world.tenancy_members.filter(pl.col("responsible")), on="house_ref")
        .select("tag_ref", "person_id")
    )
    for case in world.planted.filter(pl.col("rule") == "two_tenancies").iter_rows(named=True):
        first, second = (
            set(holders.filter(pl.col("tag_ref") == case[c])["person_id"]) for c in ("subject_ref", "other_ref")
        )
        same_person = bool(first & second)
        assert same_person == (case["kind"] != "two_tenancies_same_name"), case["kind"]


def test_the_dead_are_dead_and_namesakes_are_others(world: World) -> None:
    deaths = dict(world.death_registrations.select("registration_id", "person_id").iter_rows())
    for case in world.planted.filter(pl.col("rule") == "deceased").iter_rows(named=True):
        dead = deaths[case["other_ref"]]
        assert dead in case["person_ids"]
        assert (len(case["person_ids"]) == 2) == (case["kind"] == "deceased_namesake")
        if case["kind"] == "tenancy_of_dead":
            died = world.persons.filter(pl.col("person_id") == dead)["death_date"].item()
            assert (AS_OF - died).days > 180


def test_whoever_is_never_to_be_linked_bore_another_name_before(world: World) -> None:
    changed = world.protected.filter(pl.col("flag").is_in(["adoption", "gender_recognition"]))
    assert changed.height > 1
    sex = dict(world.persons.select("person_id", "sex").iter_rows())
    for person, flag in changed.iter_rows():
        names = world.names.filter(pl.col("person_id") == person).sort("from_date")
        before, now = names[:-1], names[-1]
        assert now["sex"][0] is None and before.height > 0
        if flag == "gender_recognition":
            assert set(before["sex"]) == {"M", "F"} - {sex[person]}
            assert now["forename"][0] not in before["forename"].to_list()
        else:
            assert now["surname"][0] not in before["surname"].to_list()
            assert person not in world.birth_parties["person_id"].to_list()
