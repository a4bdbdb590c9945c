"""Invented lists of little evidence: names, with hardly an age, a whole birth date or an address that tells two people
of one name apart, and nothing said of how often a person stands in a list.

A set is as in newcomer_files.py. Rates of damage were chosen beforehand, by no linker's result.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from benchmarks.newcomer_files import (
    Files,
    Rng,
    joined,
    middle_of,
    people_of,
    shuffled,
    slips_of,
    some,
    years_later,
)
from benchmarks.strange_tables import Slips, damaged
from synthetic_data.corruption.characters import mistyped
from synthetic_data.randomness import stream

DAY = "2024-06-01"
# Named by sex and day of the week of birth; each with another way to write it.
DAY_NAMES = {
    "M": ("Kwadwo Kojo", "Kwabena Kobina", "Kwaku Kweku", "Yaw Yao", "Kofi Koffi", "Kwame Kwamena", "Kwasi Akwasi"),
    "F": ("Adwoa Adjoa", "Abena Araba", "Akua Ekua", "Yaa Aba", "Afia Efua", "Ama Amma", "Akosua Esi"),
}
CHRISTIAN = {
    "M": ["Emmanuel", "Samuel", "Daniel", "Isaac", "Joseph", "Michael", "Francis", "Ebenezer", "Stephen", "Eric"],
    "F": ["Mary", "Grace", "Comfort", "Elizabeth", "Mercy", "Esther", "Janet", "Gifty", "Vida", "Felicia"],
}
FEW_SURNAMES = [
    *("Mensah", "Owusu", "Osei", "Boateng", "Appiah", "Asante", "Amoah", "Agyei", "Addo", "Annan", "Ofori", "Sarpong"),
    *("Adjei", "Opoku", "Frimpong", "Antwi", "Asare", "Yeboah", "Acheampong", "Darko", "Badu", "Ansah", "Quaye"),
    *("Tetteh", "Lamptey"),
]


def voters(count: int, seed: int) -> Files:
    """American registers six years apart without ages: of a quarter of the households father and son bear one name, and
    a third of the entries leave the suffix out; a fifth has moved, women have married."""
    rng = stream(seed, "voters without ages")
    people, other = people_of(rng, count), people_of(rng, count)
    place = np.arange(count) % 3  # father, mother, child
    head = people[(np.arange(count) // 3 * 3).tolist()]
    junior = pl.Series((place == 2) & np.repeat(rng.random(count // 3 + 1) < 0.25, 3)[:count])
    father = pl.Series((place == 0) & np.append(junior.to_numpy()[2:], [False, False]))
    named = {name: pl.when(junior).then(head[name]).otherwise(name) for name in ("first", "middle")}
    sex = np.where(place == 0, "M", np.where(place == 1, "F", people["sex"].to_numpy()))
    people = people.with_columns(
        **named,
        **{name: head[name] for name in ("last", "number", "street", "town", "zip")},
        sex=pl.when(junior).then(pl.lit("M")).otherwise(pl.Series(sex.astype(str))),
        suffix=pl.when(junior).then(pl.lit("JR")).when(father).then(pl.lit("SR")),
    )
    made: Files = {}
    for year in (2018, 2024):
        table = shuffled(rng, people[rng.permutation(count)[: int(count * 0.85)]])
        if year == 2024:
            table = years_later(rng, table, other, 0.08)
        table = damaged(table, slips_of(0.03), seed + year)
        middle = middle_of(rng, table)
        rows = table.select(
            "person",
            voter_reg_num=(pl.col("at") + year * 1_000_000).cast(pl.String),
            last_name=pl.col("last").str.to_uppercase(),
            first_name=pl.col("first").str.to_uppercase(),
            middle_name=middle.str.to_uppercase(),
            name_suffix=pl.when(some(rng, table, 0.7)).then("suffix"),
            gender="sex",
            residence_address=joined("number", "street", by=" ").str.to_uppercase(),
            city=pl.col("town").str.to_uppercase(),
            zip=pl.col("zip").cast(pl.String),
        )
        made[f"unaged_{year}"] = rows, f"{year}-06-01"
    return made


def clinic(count: int, seed: int) -> Files:
    """A West African health insurance and a clinic: 25 surnames, people named by the day of their birth in two ways of
    writing, a Christian name that is often left out; the day of birth known of some, the year of more."""
    rng = stream(seed, "clinic")
    people = people_of(rng, count)
    born = people.select(pl.date("year", "month", "day")).to_series()
    weekday, sex = born.dt.weekday() - 1, people["sex"].to_list()
    day_name = [DAY_NAMES[s][w].split() for s, w in zip(sex, weekday, strict=True)]
    people = people.select(
        "person",
        "sex",
        born=born,
        christian=pl.Series([CHRISTIAN[s][n] for s, n in zip(sex, rng.integers(0, 10, count), strict=True)]),
        usual=pl.Series([written[0] for written in day_name]),
        other=pl.Series([written[1] for written in day_name]),
        last=pl.Series(_chosen(rng, FEW_SURNAMES, count)),
        village=pl.Series(rng.choice(people["town"].unique(maintain_order=True).to_numpy()[:14], count)),
        phone=pl.Series([f"024{n}" for n in rng.integers(1_000_000, 9_999_999, count)]),
    ).with_columns(christian=pl.when(pl.Series(rng.random(count) < 0.7)).then("christian"))
    made: Files = {}
    for source, share, known, whole in (("insurance", 0.9, 0.95, 0.45), ("clinic", 0.5, 0.65, 0.35)):
        table = shuffled(rng, people[rng.permutation(count)[: int(count * share)]])
        at_clinic = source == "clinic"
        table = damaged(table, {"last": Slips(0.0, ((0.06 * at_clinic, mistyped),))}, seed + 1)
        respelt, day, year = (some(rng, table, rate) for rate in (0.25 * at_clinic, whole, 0.55))
        off = pl.Series(rng.choice([0, 0, 1, -1], table.height)) * int(at_clinic)
        christian = pl.when(some(rng, table, 0.6 if at_clinic else 1.0)).then("christian")
        moved = pl.when(some(rng, table, 0.06 * at_clinic)).then(pl.col("village").shuffle(seed)).otherwise("village")
        written = pl.concat_str(
            christian, pl.when(respelt).then("other").otherwise("usual"), "last", separator=" ", ignore_nulls=True
        )
        first_of_january = pl.concat_str((pl.col("born").dt.year() + off).cast(pl.String), pl.lit("-01-01"))
        rows = table.select(
            "person",
            id=pl.concat_str(pl.lit(source[:1].upper()), pl.col("at").cast(pl.String)),
            name=written,
            sex="sex",
            dob=pl.when(day).then(pl.col("born").dt.to_string()).when(year).then(first_of_january),
            community=pl.when(some(rng, table, known)).then(moved),
            mobile=pl.when(some(rng, table, 0.45)).then("phone"),
        )
        made[source] = rows, DAY
    return made


def members(count: int, seed: int, shares: tuple[float, float] = (0.85, 0.4)) -> Files:
    """Who belongs to a union, and who came to its congress: a name and a town, no more."""
    rng = stream(seed, "members")
    people = people_of(rng, count)
    made: Files = {}
    for source, share in zip(("union", "congress"), shares, strict=True):
        table = damaged(
            shuffled(rng, people[rng.permutation(count)[: int(count * share)]]), slips_of(0.03), seed + len(source)
        )
        rows = table.select("person", id="at", forename="first", surname="last", town="town")
        made[source] = rows, DAY
    return made


def few_in_both(count: int, seed: int) -> Files:
    """The same of a place ten times as large as either list: hardly anybody stands in both."""
    return members(5 * count, seed, (0.1, 0.1))


def mailing(count: int, seed: int) -> Files:
    """One list with its copies, names and addresses of families, no date: most people stand in it twice or more."""
    rng = stream(seed, "mailing")
    people = people_of(rng, count)
    head = people[(np.arange(count) // 3 * 3).tolist()]
    people = people.with_columns(**{name: head[name] for name in ("last", "number", "street", "town", "zip")})
    table = people[np.repeat(np.arange(count), rng.integers(1, 5, count))]
    slips = slips_of(0.06) | {"street": Slips(0.05, ((0.1, mistyped),))}
    table = shuffled(rng, damaged(table, slips, seed))
    rows = table.select(
        "person",
        id="at",
        first_name="first",
        surname="last",
        address=joined("number", "street", by=" "),
        town="town",
        postcode=pl.col("zip").cast(pl.String),
    )
    return {"mailing": (rows, DAY)}


def _chosen(rng: Rng, names: Sequence[str], count: int) -> list[str]:
    """Names drawn so that the first are the commonest."""
    return [names[place] for place in (len(names) * rng.random(count) ** 1.6).astype(int)]


SHAPES: dict[str, Callable[[int, int], Any]] = {
    "unaged": voters, "clinic": clinic, "members": members, "few_in_both": few_in_both, "mailing": mailing,
}  # fmt: skip
