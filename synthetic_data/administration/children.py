"""Children's services: children in need, plans, placements, and the young people whom the youth service follows."""

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.frames import NOTHING, texts
from synthetic_data.randomness import distinct, stream, weighted
from synthetic_data.timeline import OPEN, YEAR

IN_NEED = 0.055  # of children, need in the year (DfE 2023-24: 332 per 10,000 on the day, 530 in the year)
NEED_FACTOR = {"council": 2.6, "housing_association": 2.2, "private_rent": 1.3}  # by tenure; guess
PLAN, PLACED = 0.12, 0.14  # of them on a protection plan, looked after (DfE 2023-24: 42 and 70 per 10,000 on the day)
NEEDS = {"N1": 57, "N2": 9, "N3": 3, "N4": 8, "N5": 13, "N6": 2, "N7": 1, "N8": 4, "N9": 3}
REFERRERS = {"2A": 8, "2B": 12, "1A": 5, "3A": 7, "3D": 5, "4": 4, "5B": 5, "6": 30, "8": 9, "10": 15}
ABUSE = {"NEG": 48, "EMO": 37, "PHY": 8, "SAB": 4, "MUL": 3}
LEGAL = {"C1": 14, "C2": 55, "V2": 24, "E1": 5, "J1": 2}
PLACES = {"U1": 18, "U4": 35, "U6": 22, "P1": 8, "K2": 9, "H5": 5, "P2": 3}
FOLLOWED = (13, 20)  # ages that the youth service follows
KNOWN_SHARE = 0.97  # of those of 16 and 17; the younger are known where somebody worked with them
KNOWN_YOUNGER = 0.25
PATHS = {  # activity codes by age (NCCIS): code -> weights under 16, at 16 and 17, from 18
    "110": (100, 0, 0),
    "210": (0, 46, 20),
    "220": (0, 38, 30),
    "310": (0, 5, 26),
    "330": (0, 5, 9),
    "540": (0, 2.6, 7),
    "550": (0, 0.6, 1.5),
    "810": (0, 2.5, 6),
}


def children(scene: Scene, frames: FRAMES) -> FRAMES:
    """children_in_need, placements and young_people, days as numbers; needs pupils."""
    rng = stream(scene.seed, "children")
    pupils = frames["pupils"].select("person_id", "upn", "uln")
    people = (
        scene.residents()
        .filter(pl.col("current") & (pl.col("birth") < scene.as_of))
        .unique("person_id", keep="last", maintain_order=True)
        .sort("person_id")
        .join(pupils, on="person_id", how="left", maintain_order="left")
    )
    need = _in_need(scene, people.filter(pl.col("age") < 18), rng)
    return {
        "children_in_need": need,
        "placements": _placements(scene, need, rng),
        "young_people": _young_people(scene, people.filter(pl.col("age").is_between(*FOLLOWED)), rng),
    }


def _in_need(scene: Scene, people: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row a child and episode of need: referral, closure, main need, a protection plan where there was one."""
    factor = people["tenure"].replace_strict(NEED_FACTOR, default=0.6, return_dtype=pl.Float64).to_numpy()
    people = people.filter(pl.Series(rng.random(len(people)) < IN_NEED * factor))
    count = len(people)
    begun = np.maximum(scene.as_of - (rng.random(count) ** 1.6 * 900).astype(np.int64) - 5, people["birth"].to_numpy())
    lasts = 20 + rng.exponential(260, count).astype(np.int64)
    ended = np.where(begun + lasts < scene.as_of, begun + lasts, OPEN)
    plan = rng.random(count) < PLAN
    abuses = np.array(list(ABUSE), dtype=object)[weighted(rng, list(ABUSE.values()), count)]
    plan_from = begun + 15
    plan_to = np.minimum(plan_from + rng.integers(90, 500, count), ended)
    return people.select(
        child_id=pl.Series(np.sort(distinct(rng, count, 10_000_000, 99_999_999))).cast(pl.String),
        person_id="person_id",
        upn="upn",
        referral_date=pl.Series(begun),
        closure_date=pl.Series(ended),
        referrer=texts(np.array(list(REFERRERS), dtype=object)[weighted(rng, list(REFERRERS.values()), count)]),
        need=texts(np.array(list(NEEDS), dtype=object)[weighted(rng, list(NEEDS.values()), count)]),
        abuse=texts(np.where(plan, abuses, NOTHING)),
        plan_start=pl.Series(np.where(plan & (plan_from < scene.as_of), plan_from, OPEN)),
        plan_end=pl.Series(np.where(plan & (plan_to < scene.as_of), plan_to, OPEN)),
        uprn="uprn",
    )


def _placements(scene: Scene, need: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row a looked-after child and episode: a change of placement or legal status begins another."""
    looked_after = need.filter(pl.Series(rng.random(len(need)) < PLACED))
    sizes = 1 + rng.poisson(0.8, len(looked_after))
    at = np.repeat(np.arange(len(looked_after)), sizes)
    turn = np.arange(len(at)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first, last = looked_after["referral_date"].to_numpy() + 10, looked_after["closure_date"].to_numpy()
    span = np.maximum(np.where(last < OPEN, last, scene.as_of) - first, 2)
    begins = (first[at] + turn * span[at] / sizes[at]).astype(np.int64)
    ends = (first[at] + (turn + 1) * span[at] / sizes[at]).astype(np.int64)
    final = turn == sizes[at] - 1
    ends = np.where(final & (last[at] == OPEN), OPEN, ends)
    places = np.array(list(PLACES), dtype=object)[weighted(rng, list(PLACES.values()), len(at))]
    # two codes were dropped and one came with the year 2025-26
    recent = begins >= scene.as_of - 570
    places = np.where(recent & np.isin(places, ["H5", "P2"]), "K3", places)
    return pl.DataFrame(
        {
            "child_id": looked_after["child_id"].gather(at),
            "person_id": looked_after["person_id"].gather(at),
            "start_date": begins,
            "end_date": ends,
            "reason": texts(np.where(turn == 0, "S", "P").astype(object)),
            "legal_status": texts(np.array(list(LEGAL), dtype=object)[weighted(rng, list(LEGAL.values()), len(at))]),
            "place": texts(places),
        }
    ).filter(pl.col("start_date") < scene.as_of)


def _young_people(scene: Scene, people: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row a young person whom the youth service knows, with what they do now."""
    age = people["age"].to_numpy()
    share = np.where(age < 16, KNOWN_YOUNGER, np.where(age < 18, KNOWN_SHARE, 0.6))
    people = people.filter(pl.Series(rng.random(len(people)) < share))
    age, count = people["age"].to_numpy(), len(people)
    table = np.array(list(PATHS.values())).T[np.where(age < 16, 0, np.where(age < 18, 1, 2))]
    edges = np.cumsum(table, axis=1)
    chosen = (edges < (rng.random(count) * edges[:, -1])[:, None]).sum(axis=1)
    since = scene.as_of - rng.integers(5, 420, count)
    return people.select(
        young_id="Y" + pl.Series(np.sort(distinct(rng, count, 100_000, 999_999))).cast(pl.String),
        person_id="person_id",
        upn="upn",
        uln="uln",
        activity=texts(np.array(list(PATHS), dtype=object)[chosen]),
        start_date=pl.max_horizontal(pl.Series(since), pl.col("birth") + int(12 * YEAR)),
        uprn="uprn",
    )
