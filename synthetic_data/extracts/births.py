"""Registered births: the registration, and the child, mother and father named in it.

Layout: UTF-8 with byte order mark, dates yyyymmdd. The parents' birth dates are taken for statistics
only and are not in the feed.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import address_components, one_line
from synthetic_data.extracts.delivery import Rendered, csv_file, key_of, truth_of, with_intake_faults
from synthetic_data.extracts.mentions import homes_written, mentions
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "births"
BIRTH = ["registration_id", "registered_date", "place_of_birth", "usual_address", "postcode"]
PARTY = ["registration_id", "party", "forenames", "surname", "maiden_surname", "sex", "date_of_birth"]
PARTIES = {"child": "C", "mother": "M", "father": "F"}


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The births registered up to extract_date; person key registration_id/party, address key registration_id."""
    born = world.birth_registrations.filter(pl.col("registered_date") <= extract_date).sort("registration_id")
    homes = homes_written(address_components(world), born["uprn"], born["registration_id"], rates, SYSTEM, "births")
    births = pl.concat([born.rename({"uprn": "true_uprn"}), homes], how="horizontal").with_columns(
        day=pl.col("registered_date"),
        registered_date=pl.col("registered_date").dt.strftime("%Y%m%d"),
        place_of_birth="place",
        usual_address=one_line(),
    )
    rows = (
        world.birth_parties.join(births.select("registration_id", "day"), on="registration_id", how="inner")
        .join(world.persons.select("person_id", "birth_surname"), on="person_id", how="left", maintain_order="left")
        .sort("registration_id", "party")
        .with_columns(
            party=pl.col("party").replace_strict(PARTIES), known_from="day", known_to="day",
        )
        .with_columns(row_key=key_of("registration_id", "party"))
    )  # fmt: skip
    people = mentions(world, rates, SYSTEM, "birth_parties", rows, "registration_id")
    of_mother = (pl.col("party") == "M") & (pl.col("birth_surname") != pl.col("surname"))
    people = people.with_columns(
        forenames=pl.concat_str("forename", "middle", separator=" ", ignore_nulls=True),
        maiden_surname=pl.when(of_mother).then("birth_surname"),
        sex=pl.when(pl.col("party") == "C").then("sex"),
        date_of_birth=pl.when(pl.col("party") == "C").then(pl.col("birth_date").dt.strftime("%Y%m%d")),
    )
    people = with_intake_faults(people, "birth_parties.csv", rates)
    return Rendered(
        SYSTEM,
        [
            csv_file("births.csv", births, BIRTH, byte_order_mark=True),
            csv_file("birth_parties.csv", people, PARTY, byte_order_mark=True),
        ],
        truth_of(people, key_of("registration_id", "party"), "person_id", "source_key"),
        truth_of(births, pl.col("registration_id"), "true_uprn", "address_key").rename({"true_uprn": "uprn"}),
    )
