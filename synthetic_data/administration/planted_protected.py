"""Plants people whom the law or their service protects: the flags stand in every system that knows of them."""

import polars as pl

from synthetic_data.administration.casebook import planting_rules
from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.randomness import stream
from synthetic_data.timeline import YEAR

CHANGED_WITHIN = (
    3  # years in which those of recognised gender changed their name: long enough for old records to stand (assumed)
)

#: Which frames name the people of a system that can hold a flag.
HOLDERS = {
    "care": ("care_clients", "care_enquirers"),
    "housing": ("tenancy_members",),
    "benefits": ("claim_members",),
    "schools": ("pupils",),
    "youth": ("young_people",),
}


def protected(scene: Scene, frames: FRAMES) -> FRAMES:
    """protected: one row a protected person and flag; nobody who takes part in a planted case is among them.

    Whoever was adopted or has another recognised gender bore another name before (names); the entry of an adopted
    child's birth names other parents and goes from the feed (birth_registrations, birth_parties).
    """
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
    flagged = pl.concat(chosen)
    adopted = flagged.filter(pl.col("flag") == "adoption")["person_id"]
    entries = frames["birth_parties"].filter(
        (pl.col("party") == "child") & pl.col("person_id").is_in(adopted.implode())
    )["registration_id"]
    return {
        "protected": flagged,
        "names": _with_former(scene, frames["names"], flagged),
        **{
            name: frames[name].filter(~pl.col("registration_id").is_in(entries.implode()))
            for name in ("birth_registrations", "birth_parties")
        },
    }


def _with_former(scene: Scene, names: pl.DataFrame, flagged: pl.DataFrame) -> pl.DataFrame:
    """The names, with those before the adoption (a surname) or the change of gender (forename and sex).

    What was borne before is somebody else's: of the nearest age and the other sex, or anybody's surname.
    """
    known = scene.known.select("person_id", "sex", "birth", "forename", "surname")
    changed = (
        flagged.filter(pl.col("flag").is_in(["adoption", "gender_recognition"]))
        .join(known.select("person_id", "sex", "birth"), on="person_id", how="left", maintain_order="left")
        .sort("birth", "person_id")
    )
    draws = scene.draws("former identities", changed["person_id"])
    share, surname = pl.Series(draws.random()), known["surname"].gather(draws.below(len(known)))
    as_child = pl.col("birth") + (0.1 + 0.8 * share) * (scene.as_of - pl.col("birth"))
    as_adult = pl.max_horizontal(pl.col("birth") + int(18 * YEAR), scene.as_of - 30 - share * CHANGED_WITHIN * YEAR)
    adoption = pl.col("flag") == "adoption"
    others = known.sort("birth", "person_id").select("birth", "forename", other=pl.col("sex"))
    changed = (
        changed.with_columns(
            day=pl.when(adoption).then(as_child).otherwise(as_adult).cast(pl.Int64),
            other=pl.col("sex").replace_strict({"M": "F", "F": "M"}),
        )
        .join_asof(others, on="birth", by="other", strategy="nearest", check_sortedness=False)
        .select(
            "person_id",
            "day",
            was_forename=pl.when(~adoption).then("forename"),
            was_sex=pl.when(~adoption).then("other"),
            was_surname=pl.when(adoption).then(pl.Series(surname)),
        )
    )
    spells = names.join(changed, on="person_id", how="left", maintain_order="left")
    now = spells.filter(pl.col("day").is_null() | (pl.col("to") > pl.col("day"))).with_columns(
        pl.max_horizontal("from", "day").alias("from")
    )
    before = spells.filter(pl.col("from") < pl.col("day")).with_columns(
        pl.min_horizontal("to", "day").alias("to"),
        forename=pl.coalesce("was_forename", "forename"),
        middle=pl.lit(None, dtype=pl.String),
        surname=pl.coalesce("was_surname", "surname"),
        sex="was_sex",
    )
    return pl.concat([now, before]).select(names.columns).sort("person_id", "from", maintain_order=True)
