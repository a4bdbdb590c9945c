"""Plants people whom the law or their service protects: the flags stand in every system that knows of them."""

import polars as pl

from synthetic_data.administration.casebook import planting_rules
from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.randomness import stream

#: Which frames name the people of a system that can hold a flag.
HOLDERS = {
    "care": ("care_clients", "care_enquirers"),
    "housing": ("tenancy_members",),
    "benefits": ("claim_members",),
    "schools": ("pupils",),
    "youth": ("young_people",),
}


def protected(scene: Scene, frames: FRAMES) -> FRAMES:
    """protected: one row a protected person and flag; nobody who takes part in a planted case is among them."""
    rules = planting_rules()
    taken = frames["planted"]["person_ids"].explode(empty_as_null=True).drop_nulls().unique()
    alive = scene.residents().filter("current").select("person_id", "age").unique("person_id", maintain_order=True)
    people = len(alive)
    least = max(count for size, count in rules["least_by_people"].items() if people >= size)
    chosen: list[pl.DataFrame] = []
    for flag, rule in rules["protected"].items():
        known = pl.concat([frames[name].select("person_id") for holder in rule["in"] for name in HOLDERS[holder]])
        candidates = (
            alive.filter(
                pl.col("person_id").is_in(known["person_id"].unique().implode())
                & ~pl.col("person_id").is_in(taken.implode())
                & pl.col("age").is_between(*rule["ages"])
            )
            .sort("person_id")
            .select("person_id")
        )
        order = stream(scene.seed, f"protected {flag}").permutation(len(candidates))
        wanted = max(least, round(rule["per_100000"] * people / 100_000))
        found = candidates[sorted(order[:wanted].tolist())].with_columns(flag=pl.lit(flag))
        taken = pl.concat([taken, found["person_id"]])
        chosen.append(found)
    return {"protected": pl.concat(chosen)}
