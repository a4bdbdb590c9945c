"""Discounts, disregards and exemptions, from who is counted in each home; some outlive the solitude by weeks."""

import numpy as np
import polars as pl

from synthetic_data.administration.scene import Scene
from synthetic_data.randomness import stream
from synthetic_data.timeline import OPEN, YEAR

SPD_UPTAKE = 0.80  # brings the discount to about 31 % of dwellings (Kent 2019)
GRACE_DAYS, GRACE_SHARE = 75, 0.6  # a discount not yet ended after another adult came


def adults(scene: Scene, known: pl.DataFrame) -> pl.DataFrame:
    """One row a present adult of a live account's household, with the disregard that applies, if any."""
    live = known.filter((pl.col("end") == OPEN) & (pl.col("to") == OPEN)).select(
        "household_id", "account_ref", "liable_kind", "is_hall"
    )
    people = (
        scene.residents()
        .filter("current")
        .join(live, on="household_id", how="inner", maintain_order="left")
        .filter(pl.col("age") >= 18)
    )
    schooled = pl.col("role").is_in(["adult_child", "child"]) & (pl.col("age") < 18.9) & (pl.col("person_id") % 3 == 0)
    code = (
        pl.when(schooled)
        .then(pl.lit("U18"))
        .when("is_student")
        .then(pl.lit("STU"))
        .when("smi")
        .then(pl.lit("SMI"))
        .when(pl.col("carer") & pl.col("role").is_in(["lodger", "sharer", "parent", "adult_child"]))
        .then(pl.lit("CARER"))
        .when(pl.col("role").is_in(["adult_child"]) & (pl.col("age") < 22) & (pl.col("person_id") % 11 == 0))
        .then(pl.lit("APPR"))
    )
    return people.with_columns(code=code, since=pl.max_horizontal("from", pl.col("birth") + int(18 * YEAR)))


def discounts(scene: Scene, known: pl.DataFrame) -> pl.DataFrame:
    """Discounts (D), disregards (R) and exemptions (E) of live accounts, and discounts that have ended."""
    rng = stream(scene.seed, "discounts")
    grown = adults(scene, known)
    homes = _homes(scene, grown, rng)
    groups = _groups(scene, homes)
    start = pl.min_horizontal(
        pl.max_horizontal("home_from", pl.col("left").fill_null(0)) + pl.col("lag"), pl.lit(scene.as_of - 1)
    )
    given = [
        ("D", "SPD", 25.0, "alone", start, pl.lit(OPEN)),
        ("D", "SPD", 25.0, "grace", start, pl.lit(OPEN)),
        ("D", "SPD", 25.0, "joined", pl.col("home_from") + 1, pl.col("newest") + pl.col("lag") + 1),
        ("D", "ALLDIS", 50.0, "all_else", pl.max_horizontal("home_from", "changed"), pl.lit(OPEN)),
        ("E", "N", 100.0, "all_students", pl.col("changed"), pl.lit(OPEN)),
        ("E", "U", 100.0, "all_smi", pl.col("changed"), pl.lit(OPEN)),
        ("E", "M", 100.0, "halls", pl.col("home_from"), pl.lit(OPEN)),
    ]
    rows = [
        groups[group].select(
            "account_ref",
            kind=pl.lit(kind),
            code=pl.lit(code),
            person_id=pl.lit(None, dtype=pl.Int64),
            start=first.cast(pl.Int64),
            end=last.cast(pl.Int64),
            percent=pl.lit(percent),
        )
        for kind, code, percent, group, first, last in given
    ]
    return pl.concat([*rows, _disregards(grown, groups, rng)])


def _homes(scene: Scene, grown: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row a live account: how many adults there are, how many count, and since when it is so."""
    sole = (
        scene.residents()
        .filter((pl.col("to") < OPEN) & ((pl.col("to") - pl.col("birth")) > 18 * YEAR))
        .group_by("household_id")
        .agg(left=pl.col("to").max())
    )
    homes = grown.group_by(
        "household_id", "account_ref", "liable_kind", "kind", "home_from", "is_hall", maintain_order=True
    ).agg(
        grown=pl.len(),
        counted=pl.col("code").is_null().sum(),
        students=(pl.col("code") == "STU").sum(),
        smi=(pl.col("code") == "SMI").sum(),
        newest=pl.col("since").filter(pl.col("code").is_null()).max(),
        first=pl.col("since").filter(pl.col("code").is_null()).min(),
        changed=pl.col("since").max(),
    )
    homes = homes.join(sole, on="household_id", how="left", maintain_order="left").sort(
        "account_ref", maintain_order=True
    )
    return homes.with_columns(
        roll=pl.Series(rng.random(len(homes))), lag=pl.Series(rng.exponential(20, len(homes)).astype(np.int64))
    )


def _groups(scene: Scene, homes: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The homes by what they get: one who counts alone; two, the other so new that the discount stands or lately ended
    (`grace`, `joined`); nobody who counts."""
    taxed = (pl.col("liable_kind") == "person") & ~pl.col("kind").is_in(["hmo", "care_home"])
    recent = pl.col("newest") > scene.as_of - GRACE_DAYS
    two = taxed & (pl.col("counted") == 2)
    students, smi = pl.col("students") == pl.col("grown"), pl.col("smi") == pl.col("grown")
    wanted = {
        "alone": taxed & (pl.col("counted") == 1) & (pl.col("roll") < SPD_UPTAKE),
        "grace": two & recent & (pl.col("newest") > pl.col("first") + 30) & (pl.col("roll") < GRACE_SHARE),
        "joined": two
        & ~recent
        & (pl.col("newest") > pl.col("home_from") + 200)
        & (pl.col("roll") < 0.6)
        & (pl.col("newest") > scene.as_of - 4 * YEAR),
        "all_students": students & taxed,
        "all_smi": smi & taxed,
        "all_else": (pl.col("counted") == 0) & ~students & ~smi & taxed,
        "halls": pl.col("is_hall"),
    }
    return {name: homes.filter(which) for name, which in wanted.items()}


def _disregards(grown: pl.DataFrame, groups: dict[str, pl.DataFrame], rng: np.random.Generator) -> pl.DataFrame:
    """Who does not count, and why: always where a discount rests on it, else where somebody asked."""
    resting = ("alone", "grace", "all_else", "all_students", "all_smi")
    needed = (
        pl.concat([groups[name] for name in resting]).select("account_ref").unique().with_columns(needed=pl.lit(True))
    )
    marks = grown.filter(pl.col("code").is_not_null() & (pl.col("liable_kind") == "person")).join(
        needed, on="account_ref", how="left", maintain_order="left"
    )
    marks = marks.with_columns(roll=pl.Series(rng.random(len(marks)))).filter(
        pl.col("needed").fill_null(False) | (pl.col("roll") < 0.3)
    )
    return marks.select(
        "account_ref",
        kind=pl.lit("R"),
        code="code",
        person_id="person_id",
        start="since",
        end=pl.lit(OPEN).cast(pl.Int64),
        percent=pl.lit(0.0),
    )
