"""The registration service: births with the parents named, marriages with the names before and after."""

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.timeline import YEAR

BIRTH_YEARS, MARRIAGE_YEARS = 6, 12  # how far back the feeds reach
MARRIED_HERE = 0.62  # of couples who live in the borough then, so many marry in its district (assumed)
KEPT_NAMES = 0.22  # couples of two surnames who are married all the same (assumed)
FATHER_NAMED = 0.95  # Births and Deaths Registration Act 1953 s.10: an unmarried father need not be entered
INTENDED_NAME_TOLD = 0.65  # couples who fill in the council's change-of-name form (assumed)
REGISTERED_WITHIN = 42  # days, Births and Deaths Registration Act 1953 s.2


def births(scene: Scene) -> FRAMES:
    """birth_registrations, and birth_parties (child, mother, father): one row a person of a registration."""
    people = scene.residents().select(
        "person_id", "household_id", "role", "sex", "birth", "lived_at", since="from", until="to"
    )
    children = (
        people.filter(
            (pl.col("birth") > scene.as_of - int(BIRTH_YEARS * YEAR)) & (pl.col("since") <= pl.col("birth") + 31)
        )
        .sort("person_id", "since")
        .unique("person_id", keep="first", maintain_order=True)
        .select("household_id", child="person_id", born="birth", uprn="lived_at")
    )
    adults = people.filter(pl.col("role").is_in(["head", "partner"])).select(
        "household_id", "since", "until", "sex", parent="person_id", parent_birth="birth"
    )
    age = (pl.col("born") - pl.col("parent_birth")) / YEAR
    parents = (
        children.join(adults, on="household_id", how="inner", maintain_order="left")
        .filter((pl.col("since") <= pl.col("born") + 31) & (pl.col("until") > pl.col("born")) & age.is_between(15, 60))
        .filter((pl.col("sex") == "M") | (age < 50))
        .sort("child", "parent")
        .unique(["child", "sex"], keep="first", maintain_order=True)
    )
    mothers = parents.filter(pl.col("sex") == "F").select("child", mother="parent")
    fathers = parents.filter(pl.col("sex") == "M").select("child", father="parent")
    born = children.join(mothers, on="child", how="inner", maintain_order="left").join(
        fathers, on="child", how="left", maintain_order="left"
    )
    draws = scene.draws("birth registrations", born["child"])
    delay = pl.Series((2 + draws.random() * (REGISTERED_WITHIN - 2)).astype(np.int64))
    named = pl.Series(draws.random() < FATHER_NAMED)
    number = pl.Series((draws.random() * 1e8).astype(np.int64)).cast(pl.String).str.zfill(8)
    at_home = pl.Series(draws.random() < 0.024)  # ONS, birth characteristics: one birth in forty
    born = (
        born.with_columns(
            registration_id=pl.lit("B") + number,
            registered_date=pl.col("born") + delay,
            father=pl.when(named).then("father"),
            place=pl.when(at_home).then(pl.lit("At home")).otherwise(pl.lit("Southend University Hospital")),
        )
        .filter(pl.col("registered_date") <= scene.as_of)
        .unique("registration_id", keep="first", maintain_order=True)
    )
    parties = born.unpivot(
        ["child", "mother", "father"],
        index=["registration_id", "registered_date", "born"],
        variable_name="party",
        value_name="person_id",
    )
    return {
        "birth_registrations": born.select(
            "registration_id", "registered_date", "uprn", "place", birth_date="born"
        ).sort("registration_id"),
        "birth_parties": parties.drop_nulls("person_id")
        .select("registration_id", "party", "person_id")
        .sort("registration_id", "party"),
    }


def marriages(scene: Scene, frames: FRAMES) -> FRAMES:
    """marriages, and marriage_parties: one row a person who married, with the surname meant to be borne after."""
    here = scene.residents()
    heads = here.filter(pl.col("role") == "head").select("household_id", one="person_id", since="from", until="to")
    partners = here.filter(pl.col("role") == "partner").select("household_id", two="person_id", with_since="from")
    couples = (
        heads.join(partners, on="household_id", how="inner", maintain_order="left")
        .unique(["one", "two"], keep="first", maintain_order=True)
        .sort("one", "two")
    )
    changes = (
        frames["names"]
        .sort("person_id", "from")
        .with_columns(before=pl.col("surname").shift(1).over("person_id"))
        .filter(pl.col("before").is_not_null() & (pl.col("before") != pl.col("surname")))
        .select("person_id", wed="from", after="surname")
    )
    surnames = scene.persons.select("person_id", "surname")
    for who in ("one", "two"):
        couples = couples.join(
            changes.rename({"person_id": who, "wed": f"{who}_wed", "after": f"{who}_after"}),
            on=who,
            how="left",
            maintain_order="left",
        )
        couples = couples.join(
            surnames.rename({"person_id": who, "surname": f"{who}_surname"}), on=who, how="left", maintain_order="left"
        )
    # A change of name to the other's surname is the wedding; other changes are divorces or older marriages.
    took = [(pl.col(f"{a}_after") == pl.col(f"{b}_surname")) for a, b in (("two", "one"), ("one", "two"))]
    draws = scene.draws("marriages", couples.select(pl.concat_str("one", "two", separator="/")).to_series())
    anyway = pl.Series(draws.random() < KEPT_NAMES) & (pl.col("one_surname") != pl.col("two_surname"))
    some_day = pl.col("since") + pl.Series((200 + draws.random() * 2500).astype(np.int64))
    couples = couples.with_columns(
        wed=pl.when(took[0]).then("two_wed").when(took[1]).then("one_wed").when(anyway).then(some_day),
        is_here=pl.Series(draws.random() < MARRIED_HERE),
        told=pl.Series(draws.random() < INTENDED_NAME_TOLD),
        number=pl.Series((draws.random() * 1e8).astype(np.int64)),
    )
    married = (
        couples.filter(
            pl.col("is_here")
            & (pl.col("wed") > scene.as_of - int(MARRIAGE_YEARS * YEAR))
            & (pl.col("wed") <= scene.as_of)
            & (pl.col("wed") < pl.col("until"))
        )
        .sort("wed", "one")
        .unique(["one"], keep="first", maintain_order=True)
        .unique(["two"], keep="first", maintain_order=True)
        .with_columns(marriage_id=pl.lit("M") + pl.col("number").cast(pl.String).str.zfill(8))
        .unique("marriage_id", keep="first", maintain_order=True)
    )
    parties = [
        married.select(
            "marriage_id",
            "wed",
            person_id=who,
            intended=pl.when(pl.col("told") & (pl.col(f"{who}_wed") == pl.col("wed"))).then(f"{who}_after"),
            party_no=pl.lit(number),
        )
        for number, who in ((1, "one"), (2, "two"))
    ]
    both = scene.home_on(pl.concat(parties).sort("marriage_id", "party_no"), "wed")
    adult = scene.known.select("person_id", "birth")
    both = both.join(adult, on="person_id", how="left", maintain_order="left")
    young = both.filter(pl.col("wed") - pl.col("birth") < int(18 * YEAR))["marriage_id"]
    both = both.filter(~pl.col("marriage_id").is_in(young.implode()))
    return {
        "marriages": both.select("marriage_id", marriage_date="wed").unique(maintain_order=True),
        "marriage_parties": both.select("marriage_id", "party_no", "person_id", "intended", uprn="home"),
    }


CAUSES = ["I219", "I259", "I639", "J189", "J449", "C349", "C509", "C189", "F019", "G309", "R54", "W19", "K703", "U071"]


def mortality(scene: Scene, frames: FRAMES) -> FRAMES:
    """mortality: one row a registered death, coded for public health statistics; no name."""
    deaths = frames["death_registrations"].sort("registration_id")
    draws = scene.draws("causes of death", deaths["registration_id"])
    cause = pl.Series(np.array(CAUSES)[draws.below(len(CAUSES))])
    places = np.array(["Hospital", "Hospital", "Hospital", "Own home", "Own home", "Care home", "Hospice"])
    return {
        "mortality": deaths.select(
            "registration_id", "person_id", "death_date", "registered_date", "uprn"
        ).with_columns(cause=cause, place=pl.Series(places[draws.below(7)]))
    }
