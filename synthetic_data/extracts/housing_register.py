"""The housing register (waiting list): applications, and everyone who would move in.

Layout: UTF-8, dates dd/mm/yyyy.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import address_components
from synthetic_data.extracts.delivery import Rendered, csv_file, key_of, truth_of, with_intake_faults
from synthetic_data.extracts.mentions import homes_written, mentions
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "housing_register"
APPLICATION = ["application_ref", "submitted_on", "status", "closed_on", "band", "homeless", "sensitive_data",
               "address_line1",
               "address_line2", "address_line3", "postcode", "uprn", "address_type", "owns_property",
               "on_another_register"]  # fmt: skip
PERSON = ["application_ref", "person_no", "relationship", "title", "first_name", "middle_name", "surname",
          "date_of_birth",
          "gender", "national_insurance_number", "phone_number", "email_address"]  # fmt: skip
DATE = "%d/%m/%Y"


def _yes(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition.fill_null(False)).then(pl.lit("Y")).otherwise(pl.lit("N"))


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The delivery of extract_date; person key application_ref/person_no, address key application_ref."""
    cases = world.register_applications.filter(pl.col("applied") <= extract_date).sort("application_ref")
    homes = homes_written(
        address_components(world), cases["uprn"], cases["application_ref"], rates, SYSTEM, "applications"
    )
    also = pl.Series(rates.draws("applications:other registers", cases["application_ref"]).random() < 0.02)
    applications = pl.concat([cases.rename({"uprn": "true_uprn"}), homes], how="horizontal").with_columns(
        submitted_on=pl.col("applied").dt.strftime(DATE),
        status=pl.when(pl.col("closed") <= extract_date).then("outcome").otherwise("open_status"),
        closed_on=pl.when(pl.col("closed") <= extract_date).then("closed").dt.strftime(DATE),
        homeless=_yes(pl.col("homeless")),
        sensitive_data=_yes(pl.col("sensitive")),
        address_line1="addr1",
        address_line2="addr2",
        address_line3=pl.concat_str("addr3", "addr4", separator=", ", ignore_nulls=True),
        uprn="recorded_uprn",
        address_type=pl.lit("1"),
        owns_property=_yes(pl.col("owns_property")),
        on_another_register=_yes(pl.lit(also)),
    )
    rows = (
        world.register_people.join(cases.select("application_ref", "applied"), on="application_ref", how="inner")
        .sort("application_ref", "person_no")
        .with_columns(known_from="applied", known_to="applied", row_key=key_of("application_ref", "person_no"))
    )
    people = mentions(world, rates, SYSTEM, "applicants", rows, "application_ref")
    grown = (pl.lit(extract_date) - pl.col("birth_date")).dt.total_days() >= 16 * 365
    applies = pl.col("relationship") != "household"
    people = people.with_columns(
        first_name="forename",
        middle_name="middle",
        gender="sex",
        date_of_birth=pl.col("birth_date").dt.strftime(DATE),
        national_insurance_number=pl.when(grown & applies).then("nino"),
        phone_number=pl.when(grown & applies).then("phone"),
        email_address=pl.when(grown & applies).then("email"),
    )
    people = with_intake_faults(people, "applicants.csv", rates)
    return Rendered(
        SYSTEM,
        [csv_file("applications.csv", applications, APPLICATION), csv_file("applicants.csv", people, PERSON)],
        truth_of(people, key_of("application_ref", "person_no"), "person_id", "source_key"),
        truth_of(applications, pl.col("application_ref"), "true_uprn", "address_key").rename({"true_uprn": "uprn"}),
    )
