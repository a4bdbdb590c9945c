"""What the offices look at: the true homes, stays and persons, with days as whole numbers."""

from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from synthetic_data.draws import Draws
from synthetic_data.randomness import stable_hash
from synthetic_data.timeline import OPEN, YEAR

FRAMES = dict[str, pl.DataFrame]


@dataclass
class Scene:
    """homes: household_id, uprn, kind, tenure, from, to; stays: person_id, household_id, uprn, from, to, role.

    `opening` is the day of the first delivery; from then on services start by hazard alone: `happenings` (person_id,
    hazard, day) says whose. `in_home_care` are those who had it before.
    """

    as_of: int
    seed: int
    units: pl.DataFrame
    homes: pl.DataFrame
    stays: pl.DataFrame
    persons: pl.DataFrame
    opening: int
    happenings: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"person_id": pl.Int64, "hazard": pl.String, "day": pl.Int64})
    )
    in_home_care: pl.Series = field(default_factory=lambda: pl.Series("person_id", [], dtype=pl.Int64))

    @cached_property
    def known(self) -> pl.DataFrame:
        """One row a person: birth and death as day numbers, and circumstances."""
        return self.persons.select(
            "person_id",
            "sex",
            "ethnic_group",
            "is_student",
            "smi",
            "carer",
            "recent_arrival",
            "documentation_quality",
            "surname",
            "forename",
            birth=pl.col("birth_date").cast(pl.Int32).cast(pl.Int64),
            death=pl.col("death_date").cast(pl.Int32).cast(pl.Int64).fill_null(OPEN),
        )

    def residents(self) -> pl.DataFrame:
        """One row a stay in the borough, with home and person."""
        return (
            self.stays.filter(pl.col("uprn").is_not_null())
            .rename({"uprn": "lived_at"})
            .join(
                self.homes.select("household_id", "uprn", "kind", "tenure", home_from="from", home_to="to"),
                on="household_id",
                how="left",
                maintain_order="left",
            )
            .join(self.known, on="person_id", how="left", maintain_order="left")
            .with_columns(age=(pl.lit(self.as_of) - pl.col("birth")) / YEAR, current=pl.col("to") == OPEN)
        )

    def draws(self, name: str, keys: pl.Series) -> Draws:
        """Random numbers that belong to the keys: the same whatever day the scene is looked at."""
        return Draws(stable_hash(f"administration:{self.seed}:{name}"), keys)

    def home_on(self, people: pl.DataFrame, day: str) -> pl.DataFrame:
        """The rows (person_id, `day`) with `home`, the UPRN where the person lived that day, null if outside."""
        stays = self.stays.select("person_id", "uprn", since="from", until="to").sort("person_id", "since", "until")
        placed = (
            people.with_row_index("row")
            .sort("person_id", day, "row")
            .join_asof(stays, left_on=day, right_on="since", by="person_id", check_sortedness=False)
            .with_columns(home=pl.when(pl.col("until") > pl.col(day)).then("uprn"))
        )
        return placed.sort("row").select(*people.columns, "home")


def as_days(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Day numbers to dates; what is open becomes null."""
    return frame.with_columns(
        pl.when(pl.col(c) < OPEN).then(pl.col(c)).cast(pl.Int32).cast(pl.Date).alias(c) for c in columns
    )
