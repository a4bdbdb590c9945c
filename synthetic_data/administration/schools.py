"""State schools of the borough: pupils and the adults to call, attendance by term, special educational needs.

Deliveries of earlier months show the school year before: who has left a school since, and attendance a year further
back.
"""

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.frames import texts
from synthetic_data.randomness import distinct, stream, weighted
from synthetic_data.timeline import OPEN, YEAR

STATE_SHARE, AFTER_16_SHARE = 0.93, 0.55  # of children of school age; of those of 16 and 17 (DfE 2023-24, rounded)
STALE, STALE_DAYS = 0.3, 400  # of families that moved within so many days, the school has the old home; guess
SECONDARY, AFTER_LAST = 7, 14  # school years: the first of a secondary school, and the one after the last
LEAVER_DAYS = 500  # pupils who left the borough's schools stay on the roll's history so long
PRIMARIES, SECONDARIES = 33, 12  # schools of a borough of 180,688, rounded to its published list
SECOND_CONTACT_ID = 0.12  # of parents entered anew with a younger child; guess
SEN_KINDS = {"K": 13.6, "E": 4.8}  # SEN support, education health and care plan: per cent of pupils (DfE 2023-24)
NEEDS = {"SLCN": 25, "SEMH": 20, "ASD": 15, "MLD": 13, "SPLD": 11, "SLD": 3, "PD": 3, "HI": 2, "VI": 1, "OTH": 7}
TERMS = 3
TERM_SESSIONS = 126  # half days in a term: 190 school days a year
UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"  # check letters in the order of the remainder modulo 23


def schools(scene: Scene) -> FRAMES:
    """pupils, pupil_contacts, pupil_terms and pupil_needs, days as numbers; former_pupils, former_contacts and
    former_terms, what only deliveries of earlier months show: who was on a school's roll until this school year."""
    rng, before = stream(scene.seed, "schools"), stream(scene.seed, "schools a year ago")
    begins = september(scene.as_of)
    roll, last_year = _pupils(scene, rng), begins - int(YEAR)
    pupils = roll.drop("since", "first")
    frames = {
        "pupils": pupils,
        "pupil_contacts": _contacts(scene, pupils, rng),
        "pupil_terms": _terms(pupils, rng, last_year),
        "pupil_needs": _needs(scene, pupils, rng),
    }
    finished = _pupils(scene, before, (AFTER_LAST + 4, AFTER_LAST + 5), (1_000_000, 1_999_999))
    moved_up = roll.filter(pl.col("year") == SECONDARY).with_columns(
        school=(pl.lit(990_000) + pl.col("first")).cast(pl.String),
        start_date=pl.max_horizontal("since", pl.lit(begins - SECONDARY * 365)),
    )
    former = pl.concat([finished, moved_up]).with_columns(
        year=pl.col("year") - 1, end_date=pl.min_horizontal("end_date", pl.lit(begins - 1))
    )
    former = former.filter(pl.col("start_date") < pl.col("end_date")).drop("since", "first")
    long_ago = pl.concat([pupils.filter(~pl.col("pupil_id").is_in(former["pupil_id"].implode())), former])
    terms = pl.concat([_terms(former, before, last_year), _terms(long_ago, before, last_year - int(YEAR))])
    contacts = _contacts(scene, finished, before, (1_000_000, 1_999_999))
    return frames | {"former_pupils": former, "former_terms": terms, "former_contacts": contacts}


def september(as_of: int) -> int:
    """The first of September on or before a day, to the day of a mean year."""
    return int(as_of - (as_of - 243.0) % YEAR)


def upns(school: np.ndarray, year: np.ndarray, serial: np.ndarray) -> pl.Series:
    """Unique pupil numbers with their check letter; establishment numbers below 1000 are never issued."""
    digits = np.array([f"882{s:04d}{y % 100:02d}{n:03d}" for s, y, n in zip(school, year, serial, strict=True)])
    figures = np.array([[int(sign) for sign in text] for text in digits]).reshape(len(digits), 12)
    remainder = (figures * np.arange(2, 14)).sum(axis=1) % 23
    return pl.Series([UPN_LETTERS[r] + text for r, text in zip(remainder, digits, strict=True)], dtype=pl.String)


def _pupils(
    scene: Scene,
    rng: np.random.Generator,
    ages: tuple[int, int] = (4, 18),
    numbers: tuple[int, int] = (100_000, 999_999),
) -> pl.DataFrame:
    """One row a child on a roll now, or lately gone from the borough, with `since`, when they came to live there, and
    the number of their `first` school; of other ages on the first of September, who would have been."""
    stays = (
        scene.residents()
        .sort("person_id", "from", maintain_order=True)
        .with_columns(earlier=pl.col("uprn").shift(1).over("person_id"))
        .filter((pl.col("death") == OPEN) & (pl.col("to") > scene.as_of - LEAVER_DAYS))
        .unique("person_id", keep="last", maintain_order=True)
    )
    begins = september(scene.as_of)
    # age on the first of September says the school year: reception at four
    stays = stays.with_columns(at_start=(pl.lit(begins) - pl.col("birth")) / YEAR).filter(
        (pl.col("at_start") >= ages[0])
        & (pl.col("at_start") < ages[1])
        & ~pl.col("role").is_in(["student", "resident"])
    )
    count = len(stays)
    share = np.where(stays["at_start"].to_numpy() >= 16, AFTER_16_SHARE, STATE_SHARE)
    stays = stays.filter(pl.Series(rng.random(count) < share))
    count = len(stays)
    year = np.floor(stays["at_start"].to_numpy()).astype(np.int64) - 4  # 0 is reception
    scale = max(1.0, count / 26_000)
    primaries, secondaries = max(2, int(PRIMARIES * scale)), max(1, int(SECONDARIES * scale))
    # children of one home go to one school, near enough: by the home's number
    home = stays["lived_at"].fill_null(0).to_numpy() // 97
    school = np.where(year < 7, 1 + home % primaries, 200 + home % secondaries)
    first_school, entered = 1 + home % primaries, begins // YEAR + 1970 - np.minimum(year, 30)
    stays = stays.with_columns(year=pl.Series(year), school=pl.Series(school), first=pl.Series(first_school))
    stays = stays.with_columns(cohort=pl.Series(entered.astype(np.int64))).sort("person_id", maintain_order=True)
    serial = stays.select(pl.int_range(pl.len()).over("first", "cohort")).to_series()
    roll = pl.Series(rng.random(count))
    came = pl.max_horizontal(pl.col("from"), pl.lit(begins) - (pl.col("year") - 7 * (pl.col("year") >= 7)) * 365)
    recent = (pl.col("from") > scene.as_of - STALE_DAYS) & pl.col("earlier").is_not_null()
    return stays.select(
        pupil_id="P" + pl.Series(np.sort(distinct(rng, count, *numbers))).cast(pl.String),
        person_id="person_id",
        upn=upns(stays["first"].to_numpy(), stays["cohort"].to_numpy(), serial.to_numpy()),
        uln=pl.when(pl.col("year") >= 10).then(pl.Series(distinct(rng, count, 1_000_000_000, 9_999_999_999))),
        school=(pl.lit(990_000) + pl.col("school")).cast(pl.String),
        year="year",
        uprn=pl.when(recent & (roll < STALE)).then("earlier").otherwise("uprn"),
        start_date=pl.min_horizontal(came, pl.lit(scene.as_of - 10)),
        end_date=pl.when(pl.col("to") < OPEN).then(pl.max_horizontal("to", came + 1)).otherwise(OPEN),
        household_id="household_id",
        since="from",
        first="first",
    )


def _contacts(
    scene: Scene, pupils: pl.DataFrame, rng: np.random.Generator, numbers: tuple[int, int] = (100_000, 999_999)
) -> pl.DataFrame:
    """One row a pupil and adult to call: mother and father first, a grandparent where they share the home."""
    adults = (
        scene.residents()
        .filter(pl.col("role").is_in(["head", "partner", "parent"]) & (pl.col("to") > scene.as_of - LEAVER_DAYS))
        .unique(["person_id", "household_id"], keep="last", maintain_order=True)
        .select("household_id", "sex", "role", adult="person_id", born="birth")
    )
    birth = scene.known.select("person_id", child_born="birth")
    pairs = (
        pupils.select("pupil_id", "person_id", "household_id")
        .join(birth, on="person_id", how="left", maintain_order="left")
        .join(adults, on="household_id", how="inner", maintain_order="left")
        .filter(pl.col("child_born") - pl.col("born") > 15 * YEAR)
        .sort("pupil_id", pl.col("role") == "parent", "sex", "adult", maintain_order=True)
    )
    pairs = pairs.with_columns(priority=pl.int_range(1, pl.len() + 1).over("pupil_id")).filter(pl.col("priority") <= 3)
    again = (pl.int_range(pl.len()).over("adult") > 0) & pl.Series(rng.random(len(pairs)) < SECOND_CONTACT_ID)
    pairs = pairs.with_columns(entry=pl.when(again).then(pl.int_range(pl.len()).over("adult")).otherwise(0))
    entries = pairs.select("adult", "entry").unique(maintain_order=True)
    entries = entries.with_columns(contact_id="C" + pl.Series(distinct(rng, len(entries), *numbers)).cast(pl.String))
    pairs = pairs.join(entries, on=["adult", "entry"], how="left", maintain_order="left")
    mother, grandparent = pl.col("sex") == "F", pl.col("role") == "parent"
    return pairs.select(
        "pupil_id",
        "contact_id",
        person_id="adult",
        priority="priority",
        relationship=pl.when(grandparent).then(pl.lit("GRP")).when(mother).then(pl.lit("MOT")).otherwise(pl.lit("FAT")),
    )


def _terms(pupils: pl.DataFrame, rng: np.random.Generator, begins: int) -> pl.DataFrame:
    """One row a pupil and term of the school year that begins so: half days possible and missed."""
    inclined = np.clip(
        rng.beta(1.1, 16, len(pupils)), 0, 0.9
    )  # mean absence 6.4 %, a fifth over 10 % (DfE 2023-24: 7.2, 20)
    at = np.repeat(np.arange(len(pupils)), TERMS)
    term = np.tile(np.arange(TERMS), len(pupils))
    start = begins + (term * YEAR / TERMS).astype(np.int64)
    missed = rng.binomial(TERM_SESSIONS, np.clip(inclined[at] * rng.normal(1, 0.25, len(at)), 0, 1))
    unauthorised = rng.binomial(missed, 0.31)
    return (
        pl.DataFrame(
            {
                "pupil_id": pupils["pupil_id"].gather(at),
                "term": term + 1,
                "start_date": start,
                "end_date": start + 110,
                "possible": np.full(len(at), TERM_SESSIONS),
                "authorised": missed - unauthorised,
                "unauthorised": unauthorised,
                "entry": pupils["start_date"].gather(at),
                "leaving": pupils["end_date"].gather(at),
            }
        )
        .filter((pl.col("entry") <= pl.col("start_date")) & (pl.col("leaving") > pl.col("end_date")))
        .drop("entry", "leaving")
    )


def _needs(scene: Scene, pupils: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row a pupil and special educational need: the first ranks highest."""
    support, plan = (share / 100 for share in SEN_KINDS.values())
    roll = rng.random(len(pupils))
    chosen = np.flatnonzero(roll < support + plan)
    needs = 1 + (rng.random(len(chosen)) < 0.3)
    at = np.repeat(chosen, needs)
    rank = np.arange(len(at)) - np.repeat(np.cumsum(needs) - needs, needs) + 1
    kinds = np.array(list(NEEDS), dtype=object)[weighted(rng, list(NEEDS.values()), len(at))]
    begun = np.maximum(scene.as_of - rng.integers(60, 2200, len(chosen)), pupils["start_date"].to_numpy()[chosen])
    return pl.DataFrame(
        {
            "pupil_id": pupils["pupil_id"].gather(at),
            "rank": rank,
            "need": texts(kinds),
            "provision": texts(np.where(roll[at] < plan, "E", "K").astype(object)),
            "start_date": np.repeat(begun, needs),
        }
    ).unique(["pupil_id", "need"], keep="first", maintain_order=True)
