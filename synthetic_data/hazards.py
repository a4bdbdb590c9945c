"""What befalls residents month by month: falls, home care, care homes, tenancies that break down, debts that escalate.

Each month everyone at risk has a true probability, logistic in stated drivers (hazards.yaml); chance decides, the day
is drawn within the month, and who has to move does. Later months see what earlier ones did.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray

from synthetic_data.administration.scene import Scene
from synthetic_data.draws import Draws
from synthetic_data.randomness import stable_hash
from synthetic_data.schemas import SCHEMAS
from synthetic_data.timeline import OPEN, YEAR, day_number

LOOK_BACK = 365  # days in which a fall, a bereavement, a move or a debt counts
RENTED = ["council", "housing_association", "private_rent"]
HAPPENED = {"person_id": pl.Int64, "hazard": pl.String, "day": pl.Int64}
#: Who is at risk, of the residents on the first day of a month.
AT_RISK = {
    "older": (pl.col("age") >= 65) & (pl.col("role") != "resident"),
    "tenants": (pl.col("role") == "head") & (pl.col("age") >= 18) & pl.col("tenure").is_in(RENTED),
    "heads": (pl.col("role") == "head") & (pl.col("age") >= 18),
}
DRIVERS = {
    "years_over_65": pl.col("age") - 65,
    "years_over_18": pl.col("age") - 18,
    "woman": pl.col("sex") == "F",
    "alone": pl.col("members") == 1,
    "children": pl.col("children") > 0,
    "social_rent": pl.col("tenure").is_in(["council", "housing_association"]),
    "private_rent": pl.col("tenure") == "private_rent",
    "deprivation": (pl.col("imd_score") - 22) / 15,
    "fell": pl.col("fell"),
    "home_care": pl.col("in_home_care"),
    "widowed": pl.col("widowed"),
    "in_debt": pl.col("in_debt"),
    "moved_lately": pl.col("moved_lately"),
    "frailty": pl.col("frailty"),
}


@cache
def rules() -> dict[str, Any]:
    """hazards.yaml."""
    return dict(yaml.safe_load((Path(__file__).parent / "hazards.yaml").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Course:
    """The scene after what happened, and the truth: one row a person at risk, month and hazard."""

    scene: Scene
    truth: pl.DataFrame


def run_hazards(scene: Scene, areas: pl.DataFrame, days: Sequence[date]) -> Course:
    """Let the months between the deliveries of `days` happen; with one delivery there is none."""
    spread = float(rules()["frailty"])
    frailty = scene.persons.select(
        "person_id", frailty=pl.Series(spread * _normal(_draws(scene, "frailty", scene.persons["person_id"])))
    )
    intercepts: dict[str, float] = {}
    told: list[pl.DataFrame] = [pl.DataFrame(schema=SCHEMAS["hazards"])]
    for start, end in pairwise(days):
        first, last = day_number(start), day_number(end)
        people = _residents(scene, areas, frailty, first)
        news = [pl.DataFrame(schema=HAPPENED)]
        for name, rule in rules()["hazards"].items():
            at_risk = people.filter(AT_RISK[rule["of"]])
            if name == "home_care":
                at_risk = at_risk.filter(~pl.col("in_home_care"))
            score = (
                at_risk.select(
                    pl.sum_horizontal(
                        DRIVERS[driver].cast(pl.Float64) * weight for driver, weight in rule["drivers"].items()
                    )
                )
                .to_series()
                .to_numpy()
            )
            if name not in intercepts:
                intercepts[name] = _intercept(score, float(rule["yearly"]) / 12)
            chance = 1 / (1 + np.exp(-(score + intercepts[name])))
            draws = _draws(scene, f"{name}:{end}", at_risk["person_id"])
            happened = draws.random() < chance
            told.append(
                at_risk.select(
                    "person_id",
                    month=pl.lit(end),
                    hazard=pl.lit(name),
                    probability=pl.Series(chance),
                    happened=pl.Series(happened),
                )
            )
            day = first + 1 + draws.below(last - first)
            hit = at_risk.with_columns(day=pl.Series(day)).filter(pl.Series(happened))
            # Who leaves or dies before the day came was still at risk; it happens on the last day at home.
            hit = hit.with_columns(day=pl.min_horizontal("day", pl.col("to") - 1))
            news.append(hit.select("person_id", day="day", hazard=pl.lit(name)).select(list(HAPPENED)))
            if name == "care_home":
                scene = _into_care_home(scene, hit)
            elif name == "tenancy_breakdown":
                scene = _out_of_tenancy(scene, hit)
        scene = replace(scene, happenings=pl.concat([scene.happenings, *news]))
    return Course(scene, pl.concat(told))


def _draws(scene: Scene, name: str, keys: pl.Series) -> Draws:
    return Draws(stable_hash(f"hazards:{scene.seed}:{name}"), keys)


def _normal(draws: Draws) -> NDArray[np.float64]:
    """Standard normal numbers from two uniform ones (Box and Muller)."""
    radius, angle = draws.random(), draws.random()
    return np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)


def _intercept(score: NDArray[np.float64], wanted: float) -> float:
    """The intercept at which the mean probability is as wanted, by bisection."""
    low, high = -30.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = float((1 / (1 + np.exp(-(score + middle)))).mean()) if len(score) else wanted
        low, high = (middle, high) if mean < wanted else (low, middle)
    return (low + high) / 2


def _residents(scene: Scene, areas: pl.DataFrame, frailty: pl.DataFrame, day: int) -> pl.DataFrame:
    """One row a person who lives in the borough on the day, with the drivers, by person_id."""
    past = scene.happenings.filter(pl.col("day") > day - LOOK_BACK)
    homes = scene.homes.select("household_id", "kind", "tenure", home_to="to")
    places = scene.units.select("uprn", "lsoa").join(
        areas.select("lsoa", "imd_score"), on="lsoa", how="left", maintain_order="left"
    )
    living = scene.stays.filter(
        pl.col("uprn").is_not_null() & (pl.col("from") <= day) & (pl.col("to") > day + 1)
    ).unique("person_id", keep="last", maintain_order=True)
    people = living.join(scene.known, on="person_id", how="left", maintain_order="left").with_columns(
        age=(day - pl.col("birth")) / YEAR
    )
    together = people.group_by("household_id").agg(members=pl.len(), children=(pl.col("age") < 16).sum())
    bereaved = (
        scene.stays.filter(pl.col("role").is_in(["head", "partner"]) & (pl.col("to") > day - LOOK_BACK))
        .join(scene.known.select("person_id", "death"), on="person_id", how="left", maintain_order="left")
        .filter((pl.col("death") == pl.col("to")) & (pl.col("death") <= day))["household_id"]
        .unique()
    )
    served = pl.concat([past.filter(pl.col("hazard") == "home_care")["person_id"], scene.in_home_care]).unique()

    def befell(hazard: str) -> pl.Expr:
        return pl.col("person_id").is_in(past.filter(pl.col("hazard") == hazard)["person_id"].unique().implode())

    return (
        people.join(homes, on="household_id", how="left", maintain_order="left")
        .join(together, on="household_id", how="left", maintain_order="left")
        .join(places, on="uprn", how="left", maintain_order="left")
        .join(frailty, on="person_id", how="left", maintain_order="left")
        .with_columns(
            imd_score=pl.col("imd_score").fill_null(22.0),
            fell=befell("fall"),
            in_debt=befell("debt_escalation"),
            in_home_care=pl.col("person_id").is_in(served.implode()),
            widowed=pl.col("household_id").is_in(bereaved.implode()) & pl.col("role").is_in(["head", "partner"]),
            moved_lately=pl.col("from") > day - LOOK_BACK,
        )
        .sort("person_id")
    )


def _into_care_home(scene: Scene, hit: pl.DataFrame) -> Scene:
    """They leave on the day and live in a care home until they would have left; who lived alone gives up the home."""
    care = scene.homes.filter((pl.col("kind") == "care_home") & (pl.col("to") == OPEN)).select("household_id", "uprn")
    if care.is_empty() or hit.is_empty():
        return scene
    pick = _draws(scene, "care homes", hit["person_id"]).below(len(care))
    moved = hit.select("person_id", "from", "to", "day", "members", "household_id").with_columns(
        new_home=care["household_id"].gather(pick), new_uprn=care["uprn"].gather(pick)
    )
    return _moved(scene, moved, moved.filter(pl.col("members") == 1), pl.lit("resident"))


def _out_of_tenancy(scene: Scene, hit: pl.DataFrame) -> Scene:
    """The whole household goes on the day: to a home that stands empty, or out of the borough if none is left."""
    if hit.is_empty():
        return scene
    held = scene.homes.filter(pl.col("to") >= hit["day"].min())["uprn"]
    free = (
        scene.units.filter(
            pl.col("is_dwelling") & (pl.col("logical_status") == 1) & ~pl.col("uprn").is_in(held.implode())
        )
        .select("uprn", "tenure")
        .sort("uprn")
    )
    order = np.argsort(_draws(scene, "empty homes", free["uprn"]).random(), kind="stable")
    free = free[order.tolist()]
    next_id = int(scene.homes["household_id"].max() or 0) + 1  # type: ignore[arg-type]
    gone = hit.select("household_id", "day", old_to="home_to").unique("household_id", keep="first", maintain_order=True)
    gone = gone.with_columns(place=pl.int_range(pl.len())).join(
        free.with_row_index("place").cast({"place": pl.Int64}).rename({"uprn": "new_uprn", "tenure": "new_tenure"}),
        on="place", how="left", maintain_order="left",
    )  # fmt: skip
    gone = gone.with_columns(new_home=pl.when(pl.col("new_uprn").is_not_null()).then(next_id + pl.col("place")))
    old = scene.homes.join(gone, on="household_id", how="inner", maintain_order="left")
    settled = old.filter(pl.col("new_uprn").is_not_null()).with_columns(
        pl.col("day").alias("from"), household_id="new_home", uprn="new_uprn", tenure=pl.lit("private_rent")
    )
    scene = replace(scene, homes=pl.concat([scene.homes, settled.select(scene.homes.columns)]))
    members = scene.stays.join(gone, on="household_id", how="inner", maintain_order="left").filter(
        pl.col("uprn").is_not_null() & (pl.col("from") < pl.col("day")) & (pl.col("to") > pl.col("day"))
    )
    return _moved(scene, members, gone, pl.col("role"))


def _moved(scene: Scene, moved: pl.DataFrame, given_up: pl.DataFrame, role: pl.Expr) -> Scene:
    """The stays of `moved` (person_id, household_id, day, new_home, new_uprn) end on the day and go on elsewhere; the
    homes of `given_up` (household_id, day) end too."""
    marks = moved.select("person_id", "household_id", "day", "new_home", "new_uprn")
    stays = scene.stays.join(marks, on=["person_id", "household_id"], how="left", maintain_order="left")
    hit = pl.col("day").is_not_null() & (pl.col("from") < pl.col("day")) & (pl.col("to") > pl.col("day"))
    after = stays.filter(hit).with_columns(
        pl.col("day").alias("from"), household_id="new_home", uprn="new_uprn", role=role
    )
    before = stays.with_columns(pl.when(hit).then("day").otherwise("to").alias("to"))
    ends = given_up.select("household_id", day_given_up="day")
    homes = scene.homes.join(ends, on="household_id", how="left", maintain_order="left").with_columns(
        pl.min_horizontal("to", "day_given_up").alias("to")
    )
    columns = scene.stays.columns
    return replace(
        scene,
        stays=pl.concat([before.select(columns), after.select(columns)]).sort(
            "person_id", "from", "to", maintain_order=True
        ),
        homes=homes.select(scene.homes.columns),
    )
