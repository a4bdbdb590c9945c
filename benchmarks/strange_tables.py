"""Invented tables of strangers with their truth: two household censuses ten years apart, one file of much-copied people
of the past, and a crowd under harsh noise.

A set is {source: table}; each table has `key`, `person` (who it is, which is taken off before landing) and columns
named as `maps` of a contract names them. Names come from the generator's vocabulary, damage from its slips; every rate
is here, and none was chosen by what a linker makes of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from synthetic_data.corruption.characters import Damage, damage_where, misheard, misread, mistyped, nickname
from synthetic_data.draws import Draws
from synthetic_data.frames import texts
from synthetic_data.randomness import stable_hash, stream, weighted
from synthetic_data.vocabulary import british_surnames, draw_forenames, draw_surnames, names

Tables = dict[str, pl.DataFrame]
Row = dict[str, Any]

TRADES = (
    *("agricultural labourer", "general labourer", "domestic servant", "dressmaker", "carpenter", "bricklayer"),
    *("coal miner", "railway porter", "cotton weaver", "shoemaker", "tailor", "clerk", "grocer", "butcher", "farmer"),
    *(
        "laundress",
        "blacksmith",
        "fisherman",
        "gardener",
        "teacher",
        "painter",
        "engine fitter",
        "writer",
        "politician",
    ),
    *("soldier", "clergyman", "physician", "merchant", "lawyer", "sailor"),
)


@dataclass(frozen=True)
class Slips:
    """What share of the values of a column is damaged and how, and what share is empty."""

    empty: float = 0.0
    kinds: Sequence[tuple[float, Damage]] = field(default_factory=tuple)


def places_of(rng: np.random.Generator, count: int) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    parts = names()["surname_morphemes"]
    first, last = (np.array(parts[side].split(), dtype=object) for side in ("first", "last"))
    return np.unique(first[rng.integers(0, len(first), count * 2)] + last[rng.integers(0, len(last), count * 2)])[
        :count
    ]


def streets_of(rng: np.random.Generator, count: int) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    stems = british_surnames().draw(rng, count)
    kinds = np.array([" street", " road", " lane", " terrace", " avenue"], dtype=object)
    return stems + kinds[weighted(rng, [4, 4, 2, 1, 2], count)]


def damaged(table: pl.DataFrame, slips: dict[str, Slips], seed: int) -> pl.DataFrame:
    """The table with each column's slips: struck at random, each kind by itself."""
    rows = pl.Series(range(table.height), dtype=pl.Int64)
    for column, each in slips.items():
        values, draws = table[column], Draws(stable_hash(f"strangers:{seed}:{column}"), rows)
        for rate, damage in each.kinds:
            values = damage_where(values, draws.random() < rate, damage, draws)
        gone = pl.Series(draws.random() < each.empty)
        table = table.with_columns(pl.when(gone).then(None).otherwise(values).alias(column))
    return table


def censuses(people: int, seed: int) -> Tables:
    """Households of one town in 1881 and of the same town in 1891: half of those that stayed have moved, children have
    grown up and left, women have married, and ages (never birth dates) are told as people told them."""
    rng = stream(seed, "censuses")
    surnames = draw_surnames(rng, np.full(people, "british", dtype=object))
    streets, parishes = streets_of(rng, max(people // 150, 10)), places_of(rng, 120)
    here = str(parishes[0])
    persons: list[Row] = []
    homes: list[list[Row]] = []

    def born(surname: str, sex: str, year: int, place: str) -> Row:
        pool = np.array(["british"], dtype=object)
        given = draw_forenames(rng, pool, np.array([sex], dtype=object), np.array([year]))[0]
        second = draw_forenames(rng, pool, np.array([sex], dtype=object), np.array([year]))[0]
        person = {"person": len(persons), "forename": given, "surname": surname, "sex": sex, "year": year}
        person |= {"middle": second if rng.random() < 0.35 else None, "birth_place": place}
        person["occupation"] = (
            TRADES[rng.integers(0, 22)] if 1881 - year > 13 and (sex == "M" or rng.random() < 0.3) else None
        )
        persons.append(person)
        return person

    def birthplace() -> str:
        return here if rng.random() < 0.55 else str(rng.choice(parishes))

    def address() -> str:
        return f"{rng.integers(1, 120)} {rng.choice(streets)}"

    while len(persons) < people:
        name, head = str(surnames[len(homes)]), int(rng.integers(1821, 1861))
        home = [born(name, "M", head, birthplace())]
        if rng.random() < 0.85:
            home.append(born(name, "F", head + int(rng.integers(-4, 9)), birthplace()))
        for _ in range(int(rng.poisson(2.4)) if head < 1858 else 0):
            home.append(born(name, "MF"[rng.integers(0, 2)], int(rng.integers(max(head + 20, 1862), 1882)), here))
        if rng.random() < 0.2:
            other = str(surnames[rng.integers(0, len(surnames))])
            home.append(born(other, "MF"[rng.integers(0, 2)], int(rng.integers(1830, 1868)), birthplace()))
        homes.append(home)
    first = [(person, place) for home, place in [(home, address()) for home in homes] for person in home]
    at = {person["person"]: place for person, place in first}
    second: list[tuple[Row, str]] = []
    couples: list[Row] = []
    for home in homes:
        if rng.random() < 0.15:
            continue  # the household has left the town
        place = address() if rng.random() < 0.5 else at[home[0]["person"]]
        for person in home:
            age = 1891 - person["year"]
            if rng.random() < 0.08 + max(0, age - 55) * 0.015:
                continue  # dead, or gone
            if 20 <= age < 32 and person["year"] > 1858:
                if rng.random() < 0.45:
                    couples.append(person)  # has a home of their own
                    continue
                if rng.random() < 0.25:
                    continue
            second.append((person, place))
        if 1881 - home[0]["year"] < 36:
            for _ in range(int(rng.poisson(1.2))):
                second.append(
                    (born(home[0]["surname"], "MF"[rng.integers(0, 2)], int(rng.integers(1881, 1891)), here), place)
                )
    for person in couples:
        place = address()
        married = born(
            str(surnames[rng.integers(0, len(surnames))]),
            "M" if person["sex"] == "F" else "F",
            person["year"] + 1,
            here,
        )
        name = married["surname"] if person["sex"] == "F" else person["surname"]
        second += [(person | {"surname": name}, place), (married | {"surname": name}, place)]
    for _ in range(people // 5):  # newcomers
        second.append(
            (
                born(
                    str(surnames[rng.integers(0, len(surnames))]),
                    "MF"[rng.integers(0, 2)],
                    int(rng.integers(1825, 1885)),
                    birthplace(),
                ),
                address(),
            )
        )
    slips = {
        "forename": Slips(0.0, ((0.08, nickname), (0.05, misheard), (0.03, misread), (0.02, mistyped))),
        "middle": Slips(0.35),
        "surname": Slips(0.0, ((0.06, misheard), (0.03, misread), (0.02, mistyped))),
        "address": Slips(0.03, ((0.05, mistyped),)),
        "birth_place": Slips(0.03, ((0.06, misheard), (0.03, mistyped))),
        "occupation": Slips(0.1),
    }
    made: Tables = {}
    for number, (source, year, rows) in enumerate((("census_1881", 1881, first), ("census_1891", 1891, second))):
        table = pl.DataFrame([person | {"address": place} for person, place in rows], infer_schema_length=None)
        off = np.array([0, 1, -1, 2, -2, 4])[weighted(rng, [0.66, 0.12, 0.11, 0.05, 0.04, 0.02], table.height)]
        initial = pl.Series(rng.random(table.height) < 0.06)
        retold = pl.Series(rng.random(table.height) < 0.1)
        table = damaged(table, slips, seed + number).with_columns(
            age=(pl.lit(year) - pl.col("year") + pl.Series(off)).clip(0),
            forename=pl.when(initial).then(pl.col("forename").str.head(1)).otherwise("forename"),
            birth_place=pl.when(retold).then(pl.lit(here)).otherwise("birth_place"),
            occupation=pl.when(pl.Series(rng.random(table.height) < 0.3 * number)).then(None).otherwise("occupation"),
        )
        made[source] = _keyed(
            table, rng, ("forename", "middle", "surname", "sex", "age", "birth_place", "occupation", "address")
        )
    return made


def much_copied(records: int, seed: int) -> Tables:
    """People of the past as ten writers each give them: some ten records a person, much of each damaged or empty."""
    rng = stream(seed, "much copied")
    persons = records // 10
    copies = np.minimum(1 + rng.poisson(9, persons), 20)
    who = np.repeat(np.arange(persons), copies)[:records]
    year = rng.integers(1600, 1900, persons)
    pools, sex = np.full(persons, "british", dtype=object), np.where(rng.random(persons) < 0.8, "M", "F").astype(object)
    towns = places_of(rng, 400)
    codes = np.array(
        [f"{a}{b}{n} {m}" for a in "BCDLNS" for b in "ABEN" for n in range(1, 9) for m in range(1, 10)], dtype=object
    )
    person = table_of(
        {
            "person": np.arange(persons),
            "forename": draw_forenames(rng, pools, sex, np.full(persons, 1900)),
            "middle": np.where(
                rng.random(persons) < 0.4, draw_forenames(rng, pools, sex, np.full(persons, 1900)), None
            ),
            "surname": draw_surnames(rng, pools),
            "birth_date": [
                f"{y}-{m:02}-{d:02}"
                for y, m, d in zip(year, rng.integers(1, 13, persons), rng.integers(1, 29, persons), strict=True)
            ],
            "birth_place": towns[(len(towns) * rng.random(persons) ** 2).astype(int)],
            "postcode": codes[rng.integers(0, len(codes), persons)] + _letters(rng, persons),
            "sex": sex,
            "occupation": np.array(TRADES, dtype=object)[(len(TRADES) * rng.random(persons) ** 1.7).astype(int)],
        }
    )
    table = person[who]
    day = pl.col("birth_date").str.to_date()
    shift = pl.Series(rng.integers(-50, 51, len(who)))
    kind = pl.Series(rng.random(len(who)))
    other = pl.Series(rng.random(len(who)))
    table = table.with_columns(
        birth_date=pl.when(kind < 0.10)
        .then(day.dt.offset_by(pl.concat_str(shift.cast(pl.String), pl.lit("d"))).dt.to_string())
        .when(kind < 0.20)
        .then(day.dt.truncate("1y").dt.to_string())
        .when(kind < 0.40)
        .then(None)
        .otherwise("birth_date"),
        forename=pl.when(other < 0.05)
        .then("surname")
        .when((other < 0.15) & pl.col("middle").is_not_null())
        .then("middle")
        .otherwise("forename"),
        surname=pl.when(other < 0.05).then("forename").otherwise("surname"),
        postcode=pl.when(pl.Series(rng.random(len(who)) < 0.25))
        .then(texts(codes[rng.integers(0, len(codes), len(who))] + _letters(rng, len(who))))
        .otherwise("postcode"),
    )
    slips = {
        "forename": Slips(0.02, ((0.15, nickname), (0.06, misheard), (0.04, mistyped))),
        "middle": Slips(0.5),
        "surname": Slips(0.02, ((0.08, misheard), (0.06, mistyped))),
        "birth_place": Slips(0.3, ((0.05, mistyped),)),
        "postcode": Slips(0.3, ((0.03, mistyped),)),
        "occupation": Slips(0.4),
        "sex": Slips(0.2),
    }
    return {
        "writers": _keyed(
            damaged(table, slips, seed),
            rng,
            ("forename", "middle", "surname", "sex", "birth_date", "birth_place", "postcode", "occupation"),
        )
    }


def noisy_crowd(records: int, seed: int) -> Tables:
    """Families of today in one file, two or three records a person, a third of all values damaged, empty or old."""
    rng = stream(seed, "noisy crowd")
    persons = int(records / 2.5)
    homes = np.sort(rng.integers(0, persons // 2, persons))
    groups = np.full(persons, "british", dtype=object)
    groups[np.isin(homes, np.flatnonzero(rng.random(persons // 2) < 0.15))] = "pakistani"
    sex = np.where(rng.random(persons) < 0.5, "M", "F").astype(object)
    year = rng.integers(1935, 2015, persons)
    family = draw_surnames(rng, np.full(persons // 2, "british", dtype=object))
    asian = draw_surnames(rng, np.full(persons // 2, "pakistani", dtype=object))
    streets = streets_of(rng, max(persons // 200, 20))
    place = {"street": streets[rng.integers(0, len(streets), persons)], "number": rng.integers(1, 150, persons)}
    code = rng.integers(0, max(persons // 30, 10), persons)
    person = table_of(
        {
            "person": np.arange(persons),
            "forename": draw_forenames(rng, groups, sex, year),
            "surname": np.where(groups == "british", family[homes], asian[homes]),
            "sex": sex,
            "birth_date": [
                f"{y}-{m:02}-{d:02}"
                for y, m, d in zip(year, rng.integers(1, 13, persons), rng.integers(1, 29, persons), strict=True)
            ],
            "home": homes,
        }
    )
    copies = np.minimum(1 + rng.poisson(1.5, persons), 8)
    who = np.repeat(np.arange(persons), copies)[:records]
    table = person[who]
    # a quarter of the records give another home: an old one, or a new one
    home = np.where(rng.random(len(who)) < 0.25, rng.integers(0, persons, len(who)), homes[who])
    born = table["birth_date"].str.to_date()
    kind = pl.Series(rng.random(len(who)))
    swapped = pl.Series(rng.random(len(who)) < 0.03)
    table = table.with_columns(
        address=pl.Series(place["number"][home]).cast(pl.String) + " " + texts(place["street"][home]),
        postcode=pl.Series(
            [f"XX{c // 400 + 1} {c % 9}{'ABDEFGHJLN'[c // 9 % 10]}{'PQRSTUWXYZ'[c // 90 % 10]}" for c in code[home]]
        ),
        birth_date=pl.when(kind < 0.03)
        .then(
            pl.concat_str(
                born.dt.year(),
                born.dt.day().cast(pl.String).str.zfill(2),
                born.dt.month().cast(pl.String).str.zfill(2),
                separator="-",
            )
        )
        .when(kind < 0.06)
        .then(born.dt.truncate("1y").dt.to_string())
        .when(kind < 0.14)
        .then(
            born.dt.offset_by(
                pl.concat_str(
                    pl.Series(rng.choice([-365, -10, -1, 1, 10, 30, 365], len(who))).cast(pl.String), pl.lit("d")
                )
            ).dt.to_string()
        )
        .otherwise("birth_date"),
        forename=pl.when(swapped).then("surname").otherwise("forename"),
        surname=pl.when(swapped).then("forename").otherwise("surname"),
    )
    # a day and month swapped into no date is what no system would keep
    table = table.with_columns(birth_date=pl.col("birth_date").str.to_date(strict=False).dt.to_string())
    slips = {
        "forename": Slips(0.03, ((0.08, nickname), (0.08, misheard), (0.05, misread), (0.10, mistyped))),
        "surname": Slips(0.03, ((0.10, misheard), (0.05, misread), (0.10, mistyped))),
        "birth_date": Slips(0.20),
        "address": Slips(0.15, ((0.15, mistyped), (0.10, mistyped))),
        "postcode": Slips(0.15, ((0.08, mistyped),)),
        "sex": Slips(0.15),
    }
    return {
        "crowd": _keyed(
            damaged(table, slips, seed), rng, ("forename", "surname", "sex", "birth_date", "address", "postcode")
        )
    }


def table_of(columns: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        {name: texts(c) if getattr(c, "dtype", None) is np.dtype(object) else c for name, c in columns.items()}
    )


def _letters(rng: np.random.Generator, count: int) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    letters = np.array(list("ABDEFGHJLNPQRSTUWXYZ"), dtype=object)
    return letters[rng.integers(0, 20, count)] + letters[rng.integers(0, 20, count)]


def _keyed(table: pl.DataFrame, rng: np.random.Generator, columns: Sequence[str]) -> pl.DataFrame:
    """The columns in random order of rows, with a key that says nothing."""
    table = table[rng.permutation(table.height)]
    return table.select(
        pl.Series("key", np.arange(table.height)).cast(pl.String), pl.col("person").cast(pl.String), *columns
    )


SETS: dict[str, tuple[Callable[[int, int], Tables], int]] = {
    "censuses": (censuses, 20_000),
    "much copied": (much_copied, 50_000),
    "noisy crowd": (noisy_crowd, 200_000),
}
