"""Invented files in the layouts that newcomers bring: voters ten years apart, a much-copied list with emails, patients,
a census and its coverage survey, a register of one-string names without a key, and organisations.

A set is {source: (rows, day)}; each has `person`, which is taken off before it is written. Column names are those of
their kind of file, for `sources new` to read. Rates of damage were chosen beforehand, by no linker's result.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from benchmarks.strange_tables import Slips, damaged, places_of, streets_of, table_of
from synthetic_data.corruption.characters import misheard, mistyped, nickname
from synthetic_data.randomness import stream
from synthetic_data.vocabulary import draw_forenames, draw_surnames

Files = dict[str, tuple[pl.DataFrame, str]]
Rng = np.random.Generator


def people_of(rng: Rng, count: int) -> pl.DataFrame:
    group = np.full(count, "british", dtype=object)
    sex, year = np.where(rng.random(count) < 0.5, "M", "F").astype(object), rng.integers(1930, 2005, count)
    towns, streets = places_of(rng, 60), streets_of(rng, max(count // 60, 20))
    areas, numbers = rng.choice([336, 919, 252, 828, 910], count), rng.integers(2_000_000, 9_990_000, count)
    social = rng.integers(100_000_000, 700_000_000, count)
    return table_of(
        {
            "person": np.arange(count), "first": draw_forenames(rng, group, sex, year),
            "middle": draw_forenames(rng, group, sex, year), "last": draw_surnames(rng, group),
            "maiden": draw_surnames(rng, group), "sex": sex, "year": year, "month": rng.integers(1, 13, count),
            "day": rng.integers(1, 29, count), "number": rng.integers(1, 4000, count),
            "street": streets[rng.integers(0, len(streets), count)],
            "town": towns[(len(towns) * rng.random(count) ** 2).astype(int)], "zip": rng.integers(27000, 27400, count),
            "phone": [f"({a}) {n // 10_000}-{n % 10_000:04}" for a, n in zip(areas, numbers, strict=True)],
            "ssn": [f"{n // 1_000_000}-{n // 10_000 % 100:02}-{n % 10_000:04}" for n in social],
        }
    )  # fmt: skip


def slips_of(rate: float) -> dict[str, Slips]:
    first = ((rate, nickname), (rate / 2, misheard), (rate / 2, mistyped))
    return {"first": Slips(0.01, first), "last": Slips(0.01, ((rate, misheard), (rate / 2, mistyped)))}


def some(rng: Rng, table: pl.DataFrame, share: float) -> pl.Series:
    return pl.Series(rng.random(table.height) < share)


def shuffled(rng: Rng, table: pl.DataFrame) -> pl.DataFrame:
    return table[rng.permutation(table.height)].with_columns(at=pl.Series(np.arange(table.height)))


def years_later(rng: Rng, table: pl.DataFrame, other: pl.DataFrame, wed_share: float) -> pl.DataFrame:
    """A fifth has moved to the home of the `other` of their number, some women bear that one's surname."""
    moved, wed = some(rng, table, 0.2), some(rng, table, wed_share) & (table["sex"] == "F")
    new = other[table["person"].to_list()]
    homes = {name: pl.when(moved).then(new[name]).otherwise(name) for name in ("number", "street", "town", "zip")}
    return table.with_columns(**homes, last=pl.when(wed).then(new["last"]).otherwise("last"))


def middle_of(rng: Rng, table: pl.DataFrame) -> pl.Expr:
    """A middle name as registers have it: two in five by its initial, one in five not at all."""
    initial, known = some(rng, table, 0.4), some(rng, table, 0.8)
    return pl.when(known).then(pl.when(initial).then(pl.col("middle").str.head(1)).otherwise("middle"))


def joined(*parts: str, by: str) -> pl.Expr:
    return pl.concat_str([pl.col(part).cast(pl.String) for part in parts], separator=by)


def voters(count: int, seed: int) -> Files:
    """American registers, upper case, ages: a fifth has moved, women have married, half give a telephone."""
    rng = stream(seed, "voters")
    people, other = people_of(rng, count), people_of(rng, count)
    made: Files = {}
    for year in (2011, 2021):
        table = shuffled(rng, people[rng.permutation(count)[: int(count * 0.8)]])
        if year == 2021:
            table = years_later(rng, table, other, 0.06)
        table = damaged(table, slips_of(0.02), seed + year)
        middle = middle_of(rng, table)
        rows = table.select(
            "person",
            voter_reg_num=(pl.col("at") + year * 1_000_000).cast(pl.String),
            last_name=pl.col("last").str.to_uppercase(),
            first_name=pl.col("first").str.to_uppercase(),
            midl_name=middle.str.to_uppercase(),
            age=year - pl.col("year") - (pl.col("month") > 6).cast(pl.Int64),
            sex_code=pl.when(some(rng, table, 0.05)).then(pl.lit("U")).otherwise("sex"),
            race_code=pl.lit("W"),
            res_street_address=joined("number", "street", by=" ").str.to_uppercase(),
            res_city_desc=pl.col("town").str.to_uppercase(),
            state_cd=pl.lit("NC"),
            zip_code=pl.col("zip").cast(pl.String),
            full_phone_num=pl.when(some(rng, table, 0.5)).then("phone"),
        )
        made[f"voters_{year}"] = rows, f"{year}-06-30"
    return made


def emails(count: int, seed: int) -> Files:
    """One list with four records a person: names missing from a sixth, no address but a town."""
    rng = stream(seed, "emails")
    table = people_of(rng, count)[np.repeat(np.arange(count), rng.integers(1, 8, count))].with_columns(
        dob=pl.date("year", "month", "day").dt.to_string(),
        email=joined("first", "last", "year", by=".").str.to_lowercase() + "@mail.example",
    )
    slips = {"first": Slips(0.15, ((0.1, mistyped), (0.1, misheard))), "dob": Slips(0.05)}
    slips |= {"last": Slips(0.17, ((0.1, mistyped), (0.1, misheard))), "town": Slips(0.18, ((0.1, mistyped),))}
    table = shuffled(rng, damaged(table, slips | {"email": Slips(0.2, ((0.1, mistyped),))}, seed))
    rows = table.select("person", "dob", "email", unique_id="at", first_name="first", surname="last", city="town")
    return {"list": (rows, "2026-11-01")}


def patients(count: int, seed: int) -> Files:
    """One file of a hospital: dates in American order, numbers, aliases, much of it empty."""
    rng = stream(seed, "patients")
    copies = 1 + (rng.random(count) < 0.3) + (rng.random(count) < 0.1)
    table = people_of(rng, count)[np.repeat(np.arange(count), copies)]
    slips = slips_of(0.08) | {"middle": Slips(0.5), "ssn": Slips(0.5, ((0.05, mistyped),)), "phone": Slips(0.4)}
    table = shuffled(rng, damaged(table, slips | {"street": Slips(0.1, ((0.1, mistyped),))}, seed))
    rows = table.select(
        "person",
        EnterpriseID=pl.col("at") + 15_000_000,
        LAST=pl.when(some(rng, table, 0.1)).then("maiden").otherwise("last").str.to_uppercase(),
        FIRST=pl.col("first").str.to_uppercase(),
        MIDDLE=pl.col("middle").str.to_uppercase(),
        SUFFIX=pl.lit(None, dtype=pl.String),
        DOB=pl.when(some(rng, table, 0.9)).then(joined("month", "day", "year", by="/")),
        GENDER=pl.when(pl.col("sex") == "M").then(pl.lit("MALE")).otherwise(pl.lit("FEMALE")),
        SSN="ssn",
        ADDRESS1=joined("number", "street", by=" "),
        ZIP="zip",
        MOTHERS_MAIDEN_NAME=pl.when(some(rng, table, 0.4)).then("maiden"),
        CITY="town",
        STATE=pl.lit("NC"),
        PHONE="phone",
        ALIAS=pl.when(some(rng, table, 0.1)).then("maiden"),
    )
    return {"patients": (rows, "2026-11-01")}


def survey(count: int, seed: int) -> Files:
    """A census and the survey of who it missed: households, one string a name, the sexes 1 and 2."""
    rng = stream(seed, "survey")
    people = people_of(rng, count)
    head = people[(np.arange(count) // 3 * 3).tolist()]
    people = people.with_columns(
        **{name: head[name] for name in ("number", "street", "zip", "town")},
        last=pl.when(some(rng, people, 0.85)).then(head["last"]).otherwise("last"),
    )
    made: Files = {}
    for source, share, day in (("census", 0.93, "2021-03-21"), ("coverage_survey", 0.3, "2021-05-10")):
        table = damaged(shuffled(rng, people[rng.permutation(count)[: int(count * share)]]), slips_of(0.05), seed + 1)
        month = pl.when(some(rng, table, 0.04)).then(6).otherwise("month").cast(pl.String).str.zfill(2)
        born = pl.concat_str(
            pl.col("day").cast(pl.String).str.zfill(2), month, pl.col("year").cast(pl.String), separator="/"
        )
        rows = table.select(
            "person",
            Resident_ID=pl.lit(source[:2]) + pl.col("at").cast(pl.String),
            Full_Name=joined("first", "last", by=" "),
            Sex=pl.when(pl.col("sex") == "M").then(1).otherwise(2),
            DOB=pl.when(some(rng, table, 0.96)).then(born),
            Age=2021 - pl.col("year"),
            Address=joined("number", "street", by=", "),
            Postcode=pl.col("zip").cast(pl.String) + pl.col("street").str.head(2),
        )
        made[source] = rows, day
    return made


def register(count: int, seed: int) -> Files:
    """A foreign register: one string a name, in either order, accents, the year of birth alone, no key."""
    rng = stream(seed, "register")
    table = people_of(rng, count)[np.repeat(np.arange(count), 1 + (rng.random(count) < 0.5))]
    table = shuffled(rng, damaged(table, slips_of(0.04), seed)).with_columns(pl.col("first", "last").fill_null(""))
    turned = joined("last", "first", by=", ").str.to_uppercase()
    name = pl.when(some(rng, table, 0.3)).then(turned).otherwise(joined("first", "last", by=" ").str.replace("e", "é"))
    return {
        "registre": (
            table.select("person", "year", nom=name, lieu="town").rename({"year": "annee_naissance"}),
            "2026-11-01",
        )
    }


def organisations(count: int, seed: int) -> Files:
    """No persons at all: it has to end without a crash."""
    rng = stream(seed, "organisations")
    table = shuffled(rng, people_of(rng, count)[np.repeat(np.arange(count), 1 + (rng.random(count) < 0.5))])
    kind = pl.Series(rng.choice([" Ltd", " & Sons", " Bakery", " Services"], table.height))
    rows = table.select("person", "phone", id="at", name=pl.col("last") + kind, addr=joined("number", "street", by=" "))
    return {"businesses": (rows, "2026-11-01")}


SHAPES: dict[str, Callable[[int, int], Any]] = {
    "voters": voters, "emails": emails, "patients": patients, "survey": survey, "register": register,
    "organisations": organisations,
}  # fmt: skip
