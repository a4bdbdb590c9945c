"""The persons table: identifiers that can't be real, titles, contact details, circumstances, documentation quality."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synthetic_data.frames import shaped, texts
from synthetic_data.randomness import stream, weighted
from synthetic_data.timeline import OPEN, YEAR, History

NHS_TEST_RANGE = 999_000_000  # NHS test numbers start with 999; the tenth digit is a right modulus-11 check
NINO_PREFIX, NINO_SUFFIX = "ZZ", "T"  # never issued, as in Faker's en_GB
MOBILES, LANDLINES = "07700900", "01632960"  # Ofcom, telephone numbers for drama: a mobile range and one of no area
LANDLINE_BY_AGE = [15, 30, 50, 65, 80, 90], [0.01, 0.02, 0.06, 0.15, 0.45, 0.6]  # give their home's; guess
SHARED_MOBILE = 0.03  # give the mobile of someone they live with; guess


def nhs_numbers(rng: np.random.Generator, count: int) -> pl.Series:
    """Distinct ten-digit numbers of the test range with a right check digit."""
    body = rng.permutation(1_000_000).astype(np.int64)
    digits = np.column_stack([np.full((len(body), 3), 9), (body[:, None] // 10 ** np.arange(5, -1, -1)) % 10])
    check = 11 - (digits * np.arange(10, 1, -1)).sum(axis=1) % 11
    check = np.where(check == 11, 0, check)
    fit = check < 10
    whole = (NHS_TEST_RANGE + body[fit]) * 10 + check[fit]
    if count > len(whole):
        raise ValueError(f"the NHS test range holds {len(whole)} numbers, {count} people need one")
    return pl.Series(whole[:count]).cast(pl.String)


def ninos(rng: np.random.Generator, count: int) -> pl.Series:
    """Distinct NINO-like numbers with the prefix ZZ."""
    body = pl.Series(rng.permutation(1_000_000)[:count]).cast(pl.String).str.zfill(6)
    return NINO_PREFIX + body + NINO_SUFFIX


def phones(
    rng: np.random.Generator, household: NDArray[np.int64], age: NDArray[np.float64], holds: NDArray[np.bool_]
) -> pl.Series:
    """The number that each who `holds` one gives: a mobile of their own, the landline of their household, or the mobile
    of someone they live with. Null for the others.

    No range of Ofcom's numbers for drama is long enough for a borough, so three digits are written after one of them:
    longer than any number of the United Kingdom, it can't be a subscriber's, and whoever dials it reaches a number
    for drama.
    """
    n = len(age)
    places = np.unique(household, return_inverse=True)[1]
    roll = rng.random(n)
    at_home = roll < np.interp(age, *LANDLINE_BY_AGE)
    shared = (roll > 1 - SHARED_MOBILE) & ~at_home
    owner = np.arange(n)
    held = np.flatnonzero(holds & ~at_home)
    first = np.full(int(places.max(initial=-1)) + 1, -1)
    first[places[held[::-1]]] = held[::-1]
    owner = np.where(shared & (first[places] >= 0), first[places], owner)
    endings = pl.Series(rng.permutation(1_000_000)).cast(pl.String).str.zfill(6)
    given = pl.select(
        pl.when(pl.Series(holds & at_home))
        .then(LANDLINES + endings.gather(places))
        .when(pl.Series(holds))
        .then(MOBILES + endings.gather(owner))
    )
    return given.to_series()


def titles(
    woman: NDArray[np.bool_], age: NDArray[np.float64], married: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.object_]:
    roll = rng.random(len(woman))
    of_women = np.where(
        married,
        np.where(roll < 0.9, "MRS", "MS"),
        np.where(
            age < 30,
            np.where((roll < 0.8) | (age < 18), "MISS", "MS"),
            np.where(roll < 0.45, "MISS", np.where(roll < 0.75, "MS", "MRS")),
        ),
    )
    title = np.where(woman, of_women, np.where(age < 14, "MASTER", "MR")).astype(object)
    learned = (age > 27) & (rng.random(len(woman)) < 0.014)
    title[learned] = "DR"
    title[(age > 30) & (rng.random(len(woman)) < 0.0006)] = "REV"
    return title


def student_share(age: NDArray[np.float64]) -> NDArray[np.float64]:
    """Full-time students among adults who live with parents or friends; falls from a half at 18 to nothing at 26."""
    return np.interp(age, [17.99, 18, 19.5, 21.5, 23, 26], [0, 0.72, 0.42, 0.34, 0.10, 0.0])


def build_persons(people: pl.DataFrame, history: History, as_of: int, seed: int) -> pl.DataFrame:
    """One row a person of the named people, in the shape of frames.SCHEMAS['persons']."""
    rng = stream(seed, "persons")
    n = len(people)
    age = (as_of - people["birth"].to_numpy()) / YEAR
    woman, role, group = people["woman"].to_numpy(), people["role"].to_numpy(), people["group"].to_numpy()
    homes = history.homes.select(
        pl.col("pool_from").alias("household"), "kind", "tenure", pl.col("from").alias("came")
    ).unique("household", keep="first", maintain_order=True)
    where = people.select("household").join(homes, on="household", how="left", maintain_order="left")
    tenure, kind = where["tenure"].to_numpy(), where["kind"].to_numpy()
    outsider = ~np.isin(group, ["white_british"])
    newcomer = outsider & (where["came"].to_numpy() > as_of - 5 * YEAR) & (age > 16) & (rng.random(n) < 0.22)
    mean = (
        0.86
        - 0.20 * newcomer
        - 0.08 * np.isin(tenure, ["private_rent"])
        - 0.07 * (age < 30)
        - 0.05 * outsider
        - 0.06 * (kind == "hmo")
    )
    quality = np.clip(rng.beta(mean * 9, (1 - mean) * 9), 0.02, 1.0)
    student = (role == "student") | (np.isin(role, ["adult_child", "sharer"]) & (rng.random(n) < student_share(age)))
    smi = (age >= 18) & (rng.random(n) < np.interp(age, [18, 65, 75, 85, 95], [0.006, 0.012, 0.04, 0.12, 0.22]))
    carer = (age > 30) & np.isin(role, ["adult_child", "lodger", "sharer", "parent"]) & (rng.random(n) < 0.09)
    email_host = texts(
        np.array(["example.org", "example.com", "example.net"], dtype=object)[weighted(rng, [5, 3, 2], n)]
    )
    has_phone = (age > 15) & (rng.random(n) < 0.8)
    has_mail = (age > 15) & (rng.random(n) < np.interp(age, [18, 60, 90], [0.75, 0.6, 0.1]))
    frame = people.with_columns(
        sex=texts(np.where(woman, "F", "M").astype(object)),
        ethnic_group=pl.col("group"),
        birth_date=pl.col("birth").cast(pl.Int32).cast(pl.Date),
        death_date=pl.when(pl.col("death") < OPEN).then("death").cast(pl.Int32).cast(pl.Date),
        title=texts(titles(woman, age, people["married"].to_numpy(), rng)),
        nino=ninos(rng, n),
        nhs_number=nhs_numbers(rng, n),
        phone=phones(stream(seed, "phones"), people["household"].to_numpy(), age, has_phone),
        documentation_quality=pl.Series(quality.round(4)),
        twin_of=pl.col("twin") + 1,
        is_student=pl.Series(student),
        smi=pl.Series(smi),
        carer=pl.Series(carer),
        recent_arrival=pl.Series(newcomer),
        has_mail=pl.Series(has_mail),
        host=email_host,
        tag=pl.Series(rng.integers(1, 99, n)),
    )
    plain = pl.col("surname").str.to_lowercase().str.normalize("NFKD").str.replace_all(r"[^a-z]", "")
    first = pl.col("forename").str.to_lowercase().str.normalize("NFKD").str.replace_all(r"[^a-z]", "")
    frame = frame.with_columns(
        nino=pl.when(pl.Series(age >= 15.75)).then("nino"),
        email=pl.when("has_mail").then(
            first + pl.lit(".") + plain + pl.col("tag").cast(pl.String) + pl.lit("@") + pl.col("host")
        ),
    )
    return shaped("persons", frame)
