"""Caretrak, linked social care and patient data: spells under the supplier's pseudonym, no name, no address.

Layout: UTF-8, dates yyyymmdd. A second file leads from the pseudonyms of those for whom the council asked to their NHS
numbers; it comes separately and opens in the identity zone only.
"""

from datetime import date, timedelta

import polars as pl

from synthetic_data.extracts.delivery import ExtractFile, Rendered, csv_file
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "caretrak"
DATE = "%Y%m%d"
SPELL = ["SPELL_ID", "PSEUDO_NHS_NO", "BIRTH_YEAR", "SETTING", "REASON", "START_DATE", "END_DATE", "COST"]
LOOKUP = ["PSEUDO_NHS_NO", "NHS_NO"]


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The delivery of extract_date, with the spells of a year. It names nobody: no record of a person, no address."""
    spells = (
        world.patient_spells.filter(
            pl.col("start_date").is_between(extract_date - timedelta(days=365), extract_date, closed="right")
        )
        .join(world.patient_numbers, on="person_id", how="left")
        .sort("spell_ref")
        .select(
            SPELL_ID="spell_ref",
            PSEUDO_NHS_NO="pseudonym",
            BIRTH_YEAR="birth_year",
            SETTING="setting",
            REASON="reason",
            START_DATE=pl.col("start_date").dt.strftime(DATE),
            END_DATE=pl.when(pl.col("end_date") <= extract_date).then(pl.col("end_date").dt.strftime(DATE)),
            COST="cost",
        )
    )
    asked = (
        world.patient_numbers.filter("asked")
        .join(world.persons.select("person_id", "nhs_number"), on="person_id", how="left")
        .sort("pseudonym")
    )
    found = pl.Series(rates.draws("caretrak:lookup", asked["pseudonym"]).random() < rates.coverage(SYSTEM, "lookup"))
    lookup = asked.filter(found).select(PSEUDO_NHS_NO="pseudonym", NHS_NO="nhs_number")
    files: list[ExtractFile] = [csv_file("spells.csv", spells, SPELL), csv_file("lookup.csv", lookup, LOOKUP)]
    nobody = pl.DataFrame(schema={"source_key": pl.String, "person_id": pl.Int64})
    nowhere = pl.DataFrame(schema={"address_key": pl.String, "uprn": pl.Int64})
    return Rendered(SYSTEM, files, nobody, nowhere)
