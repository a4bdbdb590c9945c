"""Registered marriages: the two who married, their names before, and where told the surname to be borne after.

Layout: UTF-8 with byte order mark, dates yyyymmdd.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import address_components, one_line
from synthetic_data.extracts.delivery import Rendered, csv_file, key_of, truth_of, with_intake_faults
from synthetic_data.extracts.mentions import chosen, homes_written, mentions
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "marriages"
MARRIAGE = ["marriage_id", "date_of_marriage", "place_of_marriage"]
PARTY = ["marriage_id", "party_no", "forenames", "surname", "surname_after", "sex", "date_of_birth", "condition",
         "usual_address", "postcode"]  # fmt: skip


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The marriages up to extract_date; person key and address key marriage_id/party_no."""
    wed = world.marriages.filter(pl.col("marriage_date") <= extract_date).sort("marriage_id")
    venue = rates.draws("marriages:venues", wed["marriage_id"]).random()
    marriages = wed.with_columns(
        date_of_marriage=pl.col("marriage_date").dt.strftime("%Y%m%d"),
        place_of_marriage=chosen(venue, ["Register office", "Approved premises", "Place of worship"], [3, 5, 2]),
    )
    rows = (
        world.marriage_parties.join(wed, on="marriage_id", how="inner")
        .sort("marriage_id", "party_no")
        # the name borne until that day
        .with_columns(
            known_from=pl.col("marriage_date") - pl.duration(days=1), row_key=key_of("marriage_id", "party_no")
        )
        .with_columns(known_to="known_from")
    )
    people = mentions(world, rates, SYSTEM, "marriage_parties", rows, "marriage_id")
    homes = homes_written(
        address_components(world), people["uprn"], people["row_key"], rates, SYSTEM, "marriage_parties"
    )
    state = rates.draws("marriages:condition", people["row_key"]).random()
    parties = pl.concat([people.rename({"uprn": "true_uprn"}), homes], how="horizontal").with_columns(
        forenames=pl.concat_str("forename", "middle", separator=" ", ignore_nulls=True),
        surname_after="intended",
        date_of_birth=pl.col("birth_date").dt.strftime("%Y%m%d"),
        condition=chosen(state, ["Single", "Divorced", "Widowed"], [78, 19, 3]),
        usual_address=one_line(),
    )
    parties = with_intake_faults(parties, "marriage_parties.csv", rates)
    return Rendered(
        SYSTEM,
        [
            csv_file("marriages.csv", marriages, MARRIAGE, byte_order_mark=True),
            csv_file("marriage_parties.csv", parties, PARTY, byte_order_mark=True),
        ],
        truth_of(parties, key_of("marriage_id", "party_no"), "person_id", "source_key"),
        truth_of(parties, key_of("marriage_id", "party_no"), "true_uprn", "address_key").rename({"true_uprn": "uprn"}),
    )
