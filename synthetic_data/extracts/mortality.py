"""Public health mortality file: coded deaths for statistics, with NHS number and postcode, without a name.

Layout: UTF-8, dates dd/mm/yyyy.
"""

from datetime import date

import polars as pl

from synthetic_data.extracts.delivery import Rendered, csv_file
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "mortality"
MORTALITY = ["nhs_number", "date_of_death", "reg_date", "sex", "age_at_death", "underlying_cause",
             "place_of_death", "postcode",
             "lsoa", "record_no"]  # fmt: skip


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The deaths registered up to extract_date. Statistics only: there is no person record and no address."""
    people = world.persons.select("person_id", "nhs_number", "sex", "birth_date")
    places = world.properties.select("uprn", "postcode", "lsoa")
    rows = (
        world.mortality.filter(pl.col("registered_date") <= extract_date)
        .sort("registration_id")
        .join(people, on="person_id", how="left", maintain_order="left")
        .join(places, on="uprn", how="left", maintain_order="left")
        .with_columns(
            record_no=pl.col("registration_id").str.replace("R", "PC"),
            date_of_death=pl.col("death_date").dt.strftime("%d/%m/%Y"),
            reg_date=pl.col("registered_date").dt.strftime("%d/%m/%Y"),
            age_at_death=pl.col("death_date").dt.year() - pl.col("birth_date").dt.year(),
            underlying_cause="cause",
            place_of_death="place",
        )
    )
    nobody = pl.DataFrame(schema={"source_key": pl.String, "person_id": pl.Int64})
    nowhere = pl.DataFrame(schema={"address_key": pl.String, "uprn": pl.Int64})
    return Rendered(SYSTEM, [csv_file("mortality.csv", rows, MORTALITY)], nobody, nowhere)
