"""Blue Badges, residents' parking permits and bus passes: issued for a time, renewed, seldom handed back."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.timeline import OPEN, YEAR

# Share of an age that holds one. Blue Badges: 2.6 million in England, two thirds of them of people over 65 (Department
# for
# Transport, Blue Badge statistics); the curve between is assumed. Bus passes: seven in ten of those who may have one.
BADGE_AGES, BADGE_SHARES = [3, 18, 50, 65, 75, 85, 95], [0.004, 0.008, 0.03, 0.07, 0.15, 0.33, 0.45]
PASS_AGE, PASS_SHARE = 66, 0.70
DISABLED_PASS_SHARE = 0.018  # assumed
ZONE_SHARE, PERMIT_SHARE = 0.16, 0.42  # streets with controlled parking; homes there with a permit (assumed)
BADGE_DAYS, PASS_DAYS, PERMIT_DAYS = 3 * 365, 5 * 365, 365
KEPT_DAYS = 600  # expired ones that a delivery of the last months may still show
TOLD_OF_DEATH = {"blue_badge": 0.55, "older_pass": 0.8, "disabled_pass": 0.8, "resident_parking": 0.4}  # assumed
TOLD_AFTER_DAYS = 45
LETTERS = np.array(list("ABCDEFGHJKLMNOPRSTUVWXY"))


def _issued(scene: Scene, kind: str, holders: pl.DataFrame, length: int) -> pl.DataFrame:
    """One row an issue that the extract still shows: `holders` has person_id, first (day), last (none after)."""
    latest = ((pl.lit(scene.as_of) - pl.col("first")) // length).cast(pl.Int64)
    rounds = pl.concat([holders.with_columns(round=latest - back) for back in range(3)]).filter(pl.col("round") >= 0)
    issues = rounds.with_columns(start=pl.col("first") + pl.col("round") * length).with_columns(
        end=pl.col("start") + length - 1
    )
    issues = issues.join(scene.known.select("person_id", "death"), on="person_id", how="left", maintain_order="left")
    issues = issues.filter(
        (pl.col("start") <= scene.as_of)
        & (pl.col("start") < pl.min_horizontal("death", "last"))
        & (pl.col("end") > scene.as_of - KEPT_DAYS)
    ).sort("person_id", "start", maintain_order=True)
    keys = issues.select(pl.concat_str("person_id", "round", separator="/")).to_series()
    draws = scene.draws(kind, keys)
    told = pl.Series(draws.random() < TOLD_OF_DEATH[kind])
    lag = pl.Series((-np.log1p(-draws.random()) * TOLD_AFTER_DAYS).astype(np.int64) + 3)
    cancelled = pl.col("death") + lag
    issues = issues.with_columns(
        cancelled=pl.when(told & (cancelled < pl.col("end")) & (cancelled <= scene.as_of))
        .then(cancelled)
        .otherwise(OPEN),
        number=pl.Series(_numbers(draws.random())),
        kind=pl.lit(kind),
    )
    return scene.home_on(issues, "start").filter(pl.col("home").is_not_null())


def _numbers(draws: NDArray[np.float64]) -> NDArray[np.int64]:
    return (draws * 1e12).astype(np.int64)


def _since_age(scene: Scene, kind: str, ages: list[float], shares: list[float]) -> pl.DataFrame:
    """Who ever holds one, and from which day: the age at which the share of holders passes the person's own draw."""
    people = scene.known.select("person_id", "birth").sort("person_id")
    draw = scene.draws(f"{kind} holders", people["person_id"]).random()
    age = np.interp(draw, shares, ages)
    return (
        people.with_columns(
            first=pl.col("birth") + pl.Series((age * YEAR).astype(np.int64)), held=pl.Series(draw < shares[-1])
        )
        .filter("held")
        .select("person_id", "first", last=pl.lit(OPEN, dtype=pl.Int64))
    )


def _with_parking(scene: Scene) -> pl.DataFrame:
    streets = scene.units.select("usrn").unique().sort("usrn")
    zone = pl.Series(scene.draws("parking zones", streets["usrn"]).random() < ZONE_SHARE)
    controlled = scene.units.join(streets.filter(zone), on="usrn", how="semi").select("uprn")
    homes = (
        scene.residents()
        .filter((pl.col("role") == "head") & (pl.col("to") > pl.col("from")))
        .join(controlled, left_on="lived_at", right_on="uprn", how="semi", maintain_order="left")
        .sort("person_id", "from", maintain_order=True)
    )
    keys = homes.select(pl.concat_str("person_id", "from", separator="/")).to_series()
    draws = scene.draws("parking holders", keys)
    wait = pl.Series((draws.random() * 300).astype(np.int64))
    wants = pl.Series(draws.random() < PERMIT_SHARE)
    return homes.filter(wants).select(
        "person_id",
        first=pl.max_horizontal("from", pl.col("birth") + int(18 * YEAR)) + wait.filter(wants),
        last="to",
    )


def _vehicles(scene: Scene, permits: pl.DataFrame) -> pl.Series:
    """Registration marks that can't be real: no mark of today's form begins with Z or Q."""
    draws = scene.draws("vehicles", permits["person_id"])
    letters = [LETTERS[draws.below(len(LETTERS))] for _ in range(3)]
    year = np.char.zfill((10 + draws.below(16) + 50 * draws.below(2)).astype(str), 2)
    return pl.Series(["ZQ" + y + " " + a + b + c for y, a, b, c in zip(year, *letters, strict=True)], dtype=pl.String)


def permits(scene: Scene) -> FRAMES:
    """permits: one row an issue of a badge, permit or pass; days as numbers."""
    ever = [
        ("blue_badge", _since_age(scene, "blue_badge", [float(a) for a in BADGE_AGES], BADGE_SHARES), BADGE_DAYS),
        ("older_pass", _since_age(scene, "older_pass", [PASS_AGE, PASS_AGE + 4.0], [0.0, PASS_SHARE]), PASS_DAYS),
        ("disabled_pass", _since_age(scene, "disabled_pass", [5.0, 65.0], [0.0, DISABLED_PASS_SHARE]), PASS_DAYS),
        ("resident_parking", _with_parking(scene), PERMIT_DAYS),
    ]
    issued = pl.concat([_issued(scene, kind, holders, length) for kind, holders, length in ever])
    mark = {"blue_badge": "B", "older_pass": "P", "disabled_pass": "P", "resident_parking": "R"}
    issued = issued.with_columns(
        permit_ref=pl.col("kind").replace_strict(mark, return_dtype=pl.String)
        + pl.col("number").cast(pl.String).str.zfill(12),
        vehicle=pl.when(pl.col("kind") == "resident_parking").then(_vehicles(scene, issued)),
    )
    return {
        "permits": issued.unique("permit_ref", keep="first", maintain_order=True).select(
            "permit_ref", "kind", "person_id", "vehicle", "start", "end", "cancelled", uprn="home"
        )
    }
