"""Right to buy: applications by tenants, open, withdrawn and completed; one row an applicant.

Layout: UTF-8, dates yyyy-mm-dd.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import address_components, one_line
from synthetic_data.extracts.delivery import Rendered, csv_file, key_of, truth_of
from synthetic_data.extracts.mentions import homes_written, mentions
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "right_to_buy"
RTB = ["rtb_ref", "applicant_no", "tag_ref", "title", "forename", "middle_name", "surname", "dob", "ni_no",
       "home_phone", "email", "property_address", "post_code", "uprn", "application_date", "stage", "stage_date",
       "discount_awarded"]  # fmt: skip


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The delivery of extract_date; person key rtb_ref/applicant_no, address key rtb_ref."""
    rows = (
        world.rtb_applications.filter(pl.col("applied") <= extract_date)
        .sort("rtb_ref", "applicant_no")
        .with_columns(known_from="applied", known_to="applied", row_key=key_of("rtb_ref", "applicant_no"))
    )
    people = mentions(world, rates, SYSTEM, "rtb", rows, "rtb_ref")
    homes = homes_written(address_components(world), people["uprn"], people["rtb_ref"], rates, SYSTEM, "rtb")
    reached = pl.col("stage_date") <= extract_date
    applicants = pl.concat([people.rename({"uprn": "true_uprn"}), homes], how="horizontal").with_columns(
        middle_name="middle",
        dob=pl.col("birth_date").dt.strftime("%Y-%m-%d"),
        ni_no="nino",
        home_phone="phone",
        property_address=one_line(),
        post_code="postcode",
        uprn="recorded_uprn",
        application_date=pl.col("applied").dt.strftime("%Y-%m-%d"),
        stage=pl.when(reached).then("stage").otherwise(pl.lit("applied")).str.to_uppercase(),
        stage_date=pl.when(reached).then("stage_date").otherwise("applied").dt.strftime("%Y-%m-%d"),
        discount_awarded=pl.when(reached).then("discount").round(2),
    )
    return Rendered(
        SYSTEM,
        [csv_file("rtb.csv", applicants, RTB)],
        truth_of(applicants, key_of("rtb_ref", "applicant_no"), "person_id", "source_key"),
        truth_of(applicants, pl.col("rtb_ref"), "true_uprn", "address_key").rename({"true_uprn": "uprn"}),
    )
