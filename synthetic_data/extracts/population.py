"""The published population of each ward by sex and five-year age band, as ONS gives it; true to the person here."""

from datetime import date

import polars as pl

from synthetic_data.extracts.delivery import Rendered, csv_file
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "population"
COLUMNS = ["WD25CD", "WD25NM", "SEX", "AGE_FROM", "RESIDENTS", "POPULATION_DATE"]
OLDEST = 90  # the last band is open


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The population on the day of the world; it holds no persons and no addresses."""
    homes = world.properties.select("uprn", "lsoa").join(
        world.areas.select("lsoa", "ward_code", "ward_name"), on="lsoa", how="left", maintain_order="left"
    )
    born = pl.col("birth_date")
    before_birthday = pl.lit(world.as_of).dt.strftime("%m%d") < born.dt.strftime("%m%d")
    living = (
        world.residences.filter(pl.col("to_date").is_null() & pl.col("uprn").is_not_null())
        .unique("person_id", keep="first", maintain_order=True)
        .join(homes, on="uprn", how="left", maintain_order="left")
        .join(world.persons.select("person_id", "sex", "birth_date"), on="person_id", how="left", maintain_order="left")
        .with_columns(age=pl.lit(world.as_of.year) - born.dt.year() - before_birthday.cast(pl.Int32))
    )
    bands = pl.DataFrame({"AGE_FROM": range(0, OLDEST + 1, 5)}, schema={"AGE_FROM": pl.Int32})
    cells = (
        world.areas.select(WD25CD="ward_code", WD25NM="ward_name")
        .unique()
        .join(pl.DataFrame({"SEX": ["F", "M"]}), how="cross")
        .join(bands, how="cross")
    )
    counted = living.group_by(
        WD25CD="ward_code", SEX="sex", AGE_FROM=(pl.col("age") // 5 * 5).clip(0, OLDEST).cast(pl.Int32)
    ).agg(RESIDENTS=pl.len())
    rows = (
        cells.join(counted, on=["WD25CD", "SEX", "AGE_FROM"], how="left")
        .with_columns(pl.col("RESIDENTS").fill_null(0), POPULATION_DATE=pl.lit(world.as_of.isoformat()))
        .sort("WD25CD", "SEX", "AGE_FROM")
    )
    return Rendered(
        SYSTEM,
        [csv_file("population.csv", rows, COLUMNS)],
        pl.DataFrame(schema={"source_key": pl.String, "person_id": pl.Int64}),
        pl.DataFrame(schema={"address_key": pl.String, "uprn": pl.Int64}),
    )
