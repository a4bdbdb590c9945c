"""Council tenancies: current and lately ended, with the household as the landlord recorded it."""

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.randomness import distinct, stream
from synthetic_data.timeline import OPEN, YEAR

KEPT_YEARS = 6
TEMPORARY_SHARE = 0.0012  # private homes used as temporary accommodation, of all private lets
END_LAG_DAYS = 12
RELATIONSHIP = {
    "head": "tenant",
    "partner": "spouse/partner",
    "child": "child",
    "adult_child": "child",
    "parent": "parent",
}


def housing(scene: Scene) -> FRAMES:
    """tenancies and tenancy_members, with start and end as day numbers; some who joined later are not recorded."""
    rng = stream(scene.seed, "housing")
    roll = pl.Series(rng.random(len(scene.homes)))
    temporary = (
        (pl.col("tenure") == "private_rent")
        & (pl.col("roll") < TEMPORARY_SHARE)
        & (pl.col("from") > scene.as_of - 500)
        & ~pl.col("kind").is_in(["hmo", "students"])
    )
    homes = scene.homes.with_columns(roll=roll).filter(
        ((pl.col("tenure") == "council") | temporary) & (pl.col("to") > scene.as_of - int(KEPT_YEARS * YEAR))
    )
    homes = homes.sort("uprn", "from", maintain_order=True)
    count = len(homes)
    props = homes.select("uprn").unique(maintain_order=True)
    props = props.with_columns(
        prop_ref="P" + pl.Series(distinct(rng, len(props), 1_000_000, 9_999_999)).cast(pl.String)
    )
    house = pl.Series(distinct(rng, count, 100_000, 999_999))
    homes = homes.join(props, on="uprn", how="left", maintain_order="left").with_columns(
        house_ref="H" + house.cast(pl.String),
        tag_ref=house.cast(pl.String) + "/" + pl.Series(rng.integers(1, 4, count)).cast(pl.String).str.zfill(2),
        start=pl.col("from"),
        end=pl.when(pl.col("to") < OPEN)
        .then(pl.col("to") + pl.Series(rng.exponential(END_LAG_DAYS, count).astype(np.int64)))
        .otherwise(OPEN),
        rent=pl.Series(np.round(rng.normal(104, 14, count), 2)),
    )
    homes = homes.with_columns(end=pl.when(pl.col("end") > scene.as_of).then(OPEN).otherwise("end"))
    after = pl.col("start").shift(-1).over("uprn")
    homes = homes.with_columns(
        end=pl.when(after.is_not_null() & (pl.col("end") > after))
        .then(pl.max_horizontal("to", after - 1))
        .otherwise("end")
    )
    kind = (
        pl.when(pl.col("tenure") != "council")
        .then(pl.lit("TEM"))
        .when(pl.col("start") > scene.as_of - 365)
        .then(pl.lit("INT"))
        .when(pl.col("roll") > 0.96)
        .then(pl.lit("ASY"))
        .otherwise(pl.lit("SEC"))
    )
    tenancies = homes.select(
        "tag_ref", "uprn", "prop_ref", "house_ref", "start", "end", "rent", "household_id", tenure=kind
    )
    people = (
        scene.residents()
        .join(homes.select("household_id", "house_ref", "start"), on="household_id", how="inner", maintain_order="left")
        .filter((pl.col("role") != "adult_child") | (pl.col("current")))
    )
    people = people.with_columns(roll=pl.Series(rng.random(len(people))))
    late = (pl.col("from") > pl.col("start") + 30) & (pl.col("roll") < 0.35)
    people = (
        people.filter(~late)
        .with_columns(first=pl.col("role") != "head")
        .sort("house_ref", "first", "birth", "person_id", maintain_order=True)
    )
    members = people.select(
        "house_ref",
        "person_id",
        person_no=pl.int_range(1, pl.len() + 1).over("house_ref"),
        relationship=pl.col("role").replace_strict(RELATIONSHIP, default="other", return_dtype=pl.String),
        responsible=(pl.col("role") == "head") | ((pl.col("role") == "partner") & (pl.col("roll") > 0.45)),
    )
    return {"tenancies": tenancies, "tenancy_members": members}
