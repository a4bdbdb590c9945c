"""Blue Badges, residents' parking permits and concessionary bus passes: three files of one office.

Layout: UTF-8, dates yyyy-mm-dd. Badges follow the national digital service (the holder's name in one string); passes
and permits separate names; a permit has no birth date, a badge and a pass have one.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import address_components
from synthetic_data.extracts.delivery import Rendered, csv_file, truth_of, with_intake_faults
from synthetic_data.extracts.mentions import chosen, homes_written, mentions
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "permits"
BADGE = ["badge_number", "local_authority_ref", "badge_holder_name", "nino", "dob", "gender_code",
         "building_street", "line2",
         "town_city", "post_code", "primary_phone_number", "email_address", "eligibility_code", "order_date",
         "start_date",
         "expiry_date", "cancel_reason_code", "cancelled_date"]  # fmt: skip
PERMIT = ["permit_no", "permit_type", "zone", "vrm", "title", "forename", "surname", "address1", "address2", "address3",
          "postcode", "uprn", "phone", "email", "valid_from", "valid_to", "status", "cancelled_date"]  # fmt: skip
PASS = ["pass_no", "pass_type", "title", "forename", "middle_name", "surname", "date_of_birth", "gender",
        "address1", "address2",
        "address3", "postcode", "uprn", "issue_date", "expiry_date", "status", "hotlisted_date"]  # fmt: skip
KEPT_DAYS = 183  # an expired one stays in the extract so long
ELIGIBILITY = ["PIP", "DLA", "WALKD", "ARMS", "BLIND", "AFRFCS"]


def _written(column: str) -> pl.Expr:
    return pl.col(column).dt.strftime("%Y-%m-%d")


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The delivery of extract_date; person key and address key are the number of the badge, permit or pass."""
    rows = (
        world.permits.filter(
            (pl.col("start_date") <= extract_date)
            & (pl.col("end_date") > pl.lit(extract_date) - pl.duration(days=KEPT_DAYS))
        )
        .sort("permit_ref")
        .with_columns(known_from="start_date", known_to="start_date", row_key="permit_ref")
    )
    people = mentions(world, rates, SYSTEM, "permits", rows, "row_key")
    components = address_components(world)
    homes = homes_written(components, people["uprn"], people["row_key"], rates, SYSTEM, "permits")
    issued = pl.concat([people.rename({"uprn": "true_uprn"}), homes], how="horizontal").with_columns(
        uprn="recorded_uprn",
        # A system of its own has no column for the town where it has a third line.
        address3=pl.concat_str("addr3", "addr4", separator=", ", ignore_nulls=True),
        address1="addr1",
        address2="addr2",
        start=_written("start_date"),
        end=_written("end_date"),
        cancelled=_written("cancelled_date"),
    )
    badges = issued.filter(pl.col("kind") == "blue_badge")
    draws = rates.draws("badges:eligibility", badges["permit_ref"])
    eligibility = chosen(draws.random(), ELIGIBILITY, [42, 12, 30, 3, 6, 1])
    whole = pl.concat_str("title", "forename", "middle", "surname", separator=" ", ignore_nulls=True)
    badges = badges.with_columns(
        badge_number="permit_ref",
        local_authority_ref=pl.lit("SOUTH"),
        badge_holder_name=whole,
        dob=_written("birth_date"),
        gender_code=pl.col("sex").replace_strict({"M": "MALE", "F": "FEMALE"}, default="UNSPECIFIE"),
        building_street="addr1",
        line2="addr2",
        town_city="address3",
        post_code="postcode",
        primary_phone_number="phone",
        email_address="email",
        eligibility_code=eligibility,
        order_date=(pl.col("start_date") - pl.duration(days=9)).dt.strftime("%Y-%m-%d"),
        start_date="start",
        expiry_date="end",
        cancel_reason_code=pl.when(pl.col("cancelled_date").is_not_null()).then(pl.lit("DECEASE")),
        cancelled_date="cancelled",
    )
    ended = pl.col("end_date") < extract_date
    status = (
        pl.when(pl.col("cancelled_date").is_not_null())
        .then(pl.lit("CANCELLED"))
        .when(ended)
        .then(pl.lit("EXPIRED"))
        .otherwise(pl.lit("LIVE"))
    )
    parking = issued.filter(pl.col("kind") == "resident_parking").with_columns(
        permit_no="permit_ref",
        permit_type=pl.lit("RESIDENT"),
        zone=pl.lit("Z") + (pl.col("true_uprn") % 7 + 1).cast(pl.String),
        vrm="vehicle",
        valid_from="start",
        valid_to="end",
        status=status,
        cancelled_date="cancelled",
    )
    passes = issued.filter(pl.col("kind").is_in(["older_pass", "disabled_pass"])).with_columns(
        pass_no=pl.col("permit_ref"),
        pass_type=pl.when(pl.col("kind") == "older_pass").then(pl.lit("OLDER")).otherwise(pl.lit("DISABLED")),
        middle_name="middle",
        date_of_birth=_written("birth_date"),
        gender="sex",
        issue_date="start",
        expiry_date="end",
        status=status.replace({"CANCELLED": "HOTLISTED"}),
        hotlisted_date="cancelled",
    )
    badges = with_intake_faults(badges, "blue_badges.csv", rates)
    return Rendered(
        SYSTEM,
        [
            csv_file("blue_badges.csv", badges, BADGE),
            csv_file("parking_permits.csv", parking, PERMIT),
            csv_file("bus_passes.csv", passes, PASS),
        ],
        truth_of(issued, pl.col("permit_ref"), "person_id", "source_key"),
        truth_of(issued, pl.col("permit_ref"), "true_uprn", "address_key").rename({"true_uprn": "uprn"}),
    )
