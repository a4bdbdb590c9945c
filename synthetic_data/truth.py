"""Writes what is true about the world, outside the landing folder."""

from pathlib import Path

import polars as pl

from synthetic_data.world import World

PERSON_COLUMNS = [
    "person_id",
    "sex",
    "birth_date",
    "death_date",
    "ethnic_group",
    "forename",
    "middle",
    "surname",
    "birth_surname",
    "documentation_quality",
]
RESIDENCE_COLUMNS = ["person_id", "household_id", "uprn", "from_date", "to_date", "role"]
HOUSEHOLD_COLUMNS = ["household_id", "uprn", "kind", "tenure", "from_date", "to_date"]


def write_truth(world: World, folder: Path) -> list[Path]:
    """persons, residence, households, planted and protected as Parquet in the folder; the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, pl.DataFrame] = {
        "persons": world.persons.filter(pl.col("birth_date") <= world.as_of).select(PERSON_COLUMNS),
        "residence": world.residences.select(RESIDENCE_COLUMNS),
        "households": world.households.select(HOUSEHOLD_COLUMNS),
        "planted": world.planted,
        "protected": world.protected,
    }
    if world.hazards.height:
        tables["hazards"] = world.hazards.filter(pl.col("month") <= world.as_of)
    paths = []
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        table.write_parquet(path, compression="zstd", statistics=True)
        paths.append(path)
    return paths
