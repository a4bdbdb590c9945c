"""Housing benefit and council tax reduction: claims, the homes they were for, the household as declared."""

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.randomness import distinct, stream
from synthetic_data.timeline import OPEN, YEAR

CLAIMS = {
    "council": 0.64,
    "housing_association": 0.62,
    "private_rent": 0.26,
    "owned": 0.13,
    "mortgage": 0.03,
    "rent_free": 0.3,
}  # about 17,000 live claims
FACTOR = {"lone_parent": 1.6, "single": 1.25, "couple": 0.7, "couple_children": 0.8}
ENDED = 0.10  # ended in the last two years, of those who could claim
UNTOLD_MOVE = 0.08
MEMBER_ROLES = {"head": "C", "partner": "P", "child": "D"}


def benefits(scene: Scene, ct_accounts: pl.DataFrame) -> FRAMES:
    """claims, claim_houses and claim_members, days as numbers.

    A claimant who moved has two houses under one claim and keeps person_ref.
    """
    rng = stream(scene.seed, "benefits")
    people = scene.residents()
    claimants = _claimants(scene, people, rng)
    refs = pl.Series(distinct(rng, len(claimants), 200_000, 999_999)).cast(pl.String)
    claims = _typed(_applied(scene, claimants.with_columns(claim_id=refs)))
    live = (
        ct_accounts.filter(pl.col("end") == OPEN)
        .select(uprn="property_uprn", ctax_account_ref="account_ref")
        .unique("uprn", keep="first", maintain_order=True)
    )
    claims = claims.join(live, on="uprn", how="left", maintain_order="left")
    houses = _houses(claims)
    members = _members(scene, houses, people)
    weekly = np.where(claims["claim_type"].to_numpy() == "CTR", 21.0, 112.0)
    award = np.round(np.abs(rng.normal(1, 0.35, len(claims))) * weekly, 2)
    return {
        "claims": claims.with_columns(weekly_award=pl.Series(award)).select(
            "claim_id",
            "claim_type",
            "status",
            "claimant",
            "ctax_account_ref",
            "weekly_award",
            application_date="applied",
            cancel_date="cancelled",
        ),
        "claim_houses": houses,
        "claim_members": members,
    }


def _claimants(scene: Scene, people: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The heads of households that claim (status 1) or did until lately (2), with the home before this one."""
    present = scene.homes.filter(
        (pl.col("to") == OPEN)
        & pl.col("tenure").is_in(list(CLAIMS))
        & ~pl.col("kind").is_in(["students", "company_let", "hmo"])
    )
    heads = people.filter(pl.col("current") & (pl.col("role") == "head") & (pl.col("age") >= 18)).select(
        "household_id", claimant="person_id", lived_from="from", age="age"
    )
    present = present.join(heads, on="household_id", how="inner", maintain_order="left")
    n = len(present)
    rate = pl.col("tenure").replace_strict(CLAIMS, return_dtype=pl.Float64) * pl.col("kind").replace_strict(
        FACTOR, default=1.0, return_dtype=pl.Float64
    )
    roll = pl.Series(rng.random(n))
    claimants = (
        present.with_columns(
            roll=roll,
            wait=pl.Series(rng.exponential(420, n).astype(np.int64)),
            seen=pl.Series(rng.random(n)),
            draw=pl.Series(rng.random(n)),
        )
        .with_columns(status=pl.when(pl.col("roll") < rate).then(1).when(pl.col("roll") < rate + ENDED).then(2))
        .filter(pl.col("status").is_not_null())
    )
    before = (
        people.filter((pl.col("to") < OPEN) & (pl.col("role") == "head"))
        .sort("to", maintain_order=True)
        .group_by("person_id", maintain_order=True)
        .last()
        .select(
            claimant="person_id", earlier_home="household_id", earlier_uprn="uprn", earlier_to="to", earlier_from="from"
        )
    )
    return claimants.join(before, on="claimant", how="left", maintain_order="left")


def _applied(scene: Scene, claims: pl.DataFrame) -> pl.DataFrame:
    """When they applied and when it ended; `carried` claims began at the home before, `untold` ones never say so."""
    carried = (
        pl.col("earlier_uprn").is_not_null() & (pl.col("earlier_to") == pl.col("lived_from")) & (pl.col("draw") < 0.5)
    )
    adult = pl.lit(scene.as_of) - ((pl.col("age") - 18) * YEAR).cast(pl.Int64)
    applied = (
        pl.when(carried)
        .then(pl.max_horizontal(pl.col("earlier_from") + pl.col("wait"), "earlier_from"))
        .otherwise(pl.col("lived_from") + pl.col("wait"))
    )
    if scene.opening < scene.as_of:  # seen over months, whose turn had not come did not all apply on one day
        latest = pl.lit(scene.as_of - 10)
        spread = pl.col("lived_from") + ((latest - pl.col("lived_from")) * pl.col("seen")).cast(pl.Int64)
        applied = pl.when(applied > latest).then(pl.min_horizontal(spread, latest)).otherwise(applied)
    oldest = scene.as_of - 14 * 365
    claims = claims.with_columns(
        carried=carried,
        applied=pl.max_horizontal(pl.min_horizontal(applied, pl.lit(scene.as_of - 10)), adult, pl.lit(oldest)),
    )
    claims = claims.with_columns(carried=pl.col("carried") & (pl.col("applied") < pl.col("earlier_to")))
    untold = pl.col("carried") & (pl.col("seen") < UNTOLD_MOVE) & (pl.col("lived_from") > scene.as_of - 400)
    return claims.with_columns(
        untold=untold,
        cancelled=pl.when(pl.col("status") == 2)
        .then(pl.max_horizontal(pl.col("applied") + 5, pl.lit(scene.as_of) - (pl.col("draw") * 700).cast(pl.Int64)))
        .otherwise(OPEN),
    )


def _typed(claims: pl.DataFrame) -> pl.DataFrame:
    """Rent support of working age has mostly moved to universal credit; council tax reduction stayed."""
    renting = pl.col("tenure").is_in(["council", "housing_association", "private_rent"])
    old_style = renting & ((pl.col("age") > 66) | (pl.col("seen") > 0.72))
    return claims.with_columns(
        claim_type=pl.when(old_style & (pl.col("draw") < 0.12))
        .then(pl.lit("HB"))
        .when(old_style)
        .then(pl.lit("BOTH"))
        .otherwise(pl.lit("CTR"))
    )


def _houses(claims: pl.DataFrame) -> pl.DataFrame:
    """The homes of each claim: the one before where it was carried along, and the one now if that was told."""
    now = claims.filter(~pl.col("untold")).select(
        "claim_id",
        house_id=1 + pl.col("carried").cast(pl.Int64),
        uprn="uprn",
        household_id="household_id",
        start=pl.max_horizontal("applied", "lived_from"),
        end="cancelled",
    )
    then = claims.filter("carried").select(
        "claim_id",
        house_id=pl.lit(1).cast(pl.Int64),
        uprn="earlier_uprn",
        household_id="earlier_home",
        start="applied",
        end=pl.when("untold").then(OPEN).otherwise("earlier_to"),
    )
    return pl.concat([now, then], how="vertical_relaxed").sort("claim_id", "house_id", maintain_order=True)


def _members(scene: Scene, houses: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Who lived in each home while it was claimed for; person_ref is one a person and claim."""
    members = houses.join(
        people.select("household_id", "person_id", "role", "birth", stay_from="from", stay_to="to", age="age"),
        on="household_id",
        maintain_order="left",
    ).filter(
        (pl.col("stay_from") < pl.min_horizontal("end", pl.lit(scene.as_of))) & (pl.col("stay_to") > pl.col("start"))
    )
    members = members.with_columns(
        relationship=pl.when((pl.col("role") == "child") & (pl.col("age") > 19))
        .then(pl.lit("N"))
        .otherwise(pl.col("role").replace_strict(MEMBER_ROLES, default="N", return_dtype=pl.String))
    ).sort("claim_id", "house_id", "relationship", "birth", "person_id", maintain_order=True)
    refs = (
        members.select("claim_id", "person_id")
        .unique(maintain_order=True)
        .with_columns(person_ref=pl.int_range(1, pl.len() + 1).over("claim_id"))
    )
    return members.join(refs, on=["claim_id", "person_id"], how="left", maintain_order="left").with_columns(
        member_id=pl.int_range(1, pl.len() + 1).over("claim_id", "house_id")
    )
