"""Council housing, Universal Housing shape: tenancies, members of the household, properties.

Layout: UTF-8, dates yyyy-mm-dd. Forename is 24 and surname 20 characters wide.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import address_components, one_line, recorded_uprns, written_addresses
from synthetic_data.corruption.batches import batches_of
from synthetic_data.corruption.names import damaged_names, people_of
from synthetic_data.corruption.numbers import damaged_birth_dates, damaged_ninos, damaged_sexes, kept
from synthetic_data.extracts import recovery
from synthetic_data.extracts.delivery import Rendered, csv_file, key_of, truth_of, with_intake_faults
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "housing"
FORENAME_LENGTH, SURNAME_LENGTH = 24, 20  # as in the table member of Universal Housing

MARKERS = {"gender_recognition": "GRC", "refuge": "REF", "restricted": "RES", "staff": "STF"}
TENANCY = ["tag_ref", "prop_ref", "house_ref", "cot", "eot", "tenure", "present", "terminated", "rent"]
MEMBER = ["house_ref", "person_no", "title", "initials", "forename", "surname", "ni_no", "dob", "relationship",
          "responsible", "phone", "email", "gender", "marker"]  # fmt: skip
PROPERTY = ["prop_ref", "major_ref", "short_address", "post_code", "uprn", "landlord", "property_kind"]
RENT = ["tag_ref", "statement_date", "weekly_rent", "balance", "arrears_stage", "stage_date", "arrears_since"]


def _flag(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.lit("1")).otherwise(pl.lit("0"))


def _members(world: World, rates: Rates) -> pl.DataFrame:
    """One row a tenancy and member of its household."""
    rows = (
        world.tenancy_members.join(
            world.tenancies.select("house_ref", known_from="start_date", known_to="end_date"), on="house_ref"
        )
        .join(world.persons.select("person_id", "phone", "email"), on="person_id", how="left")
        .join(world.protected, on="person_id", how="left")
        .sort("house_ref", "person_no")
        .with_columns(pl.col("known_to").fill_null(world.as_of), row_key=key_of("house_ref", "person_no"))
    )
    people = damaged_names(people_of(rows, world.names, world.persons, rates, SYSTEM), rates, SYSTEM)
    contact = rates.draws("member:contact", people["row_key"])
    births = damaged_birth_dates(people, rates, SYSTEM, world.as_of)
    grown = (pl.lit(world.as_of) - pl.col("birth_date")).dt.total_days() >= 16 * 365
    people = people.with_columns(
        adult=grown,
        ni_no=damaged_ninos(people, rates, SYSTEM, rates.coverage(SYSTEM, "nino"), people["house_ref"]),
        phone=kept(people["phone"], rates.coverage(SYSTEM, "phone"), contact),
        email=kept(people["email"], rates.coverage(SYSTEM, "email"), contact),
        sex=damaged_sexes(people, rates, SYSTEM),
        birth_date=kept(
            births, rates.coverage(SYSTEM, "birth_date"), rates.draws("member:birth dates held", people["row_key"])
        ),
    )
    batches = batches_of(people["row_key"], rates, "member", SYSTEM)
    people = batches.apply(people, forename="forename", surname="surname", birth_date="birth_date")
    initials = pl.concat_str(
        pl.col("forename").str.slice(0, 1), pl.col("middle").str.slice(0, 1), separator=" ", ignore_nulls=True
    )
    return people.with_columns(
        initials=initials.str.to_uppercase(),
        forename=pl.col("forename").str.slice(0, FORENAME_LENGTH),
        surname=pl.col("surname").str.slice(0, SURNAME_LENGTH),
        dob=pl.col("birth_date").dt.strftime("%Y-%m-%d"),
        ni_no=pl.when("adult").then("ni_no"),
        phone=pl.when("adult").then("phone"),
        email=pl.when("adult").then("email"),
        gender="sex",
        marker=pl.col("flag").replace_strict(MARKERS, default=None, return_dtype=pl.String),
        responsible=_flag(pl.col("responsible").fill_null(False)),
    )


def _properties(world: World, rates: Rates, components: pl.DataFrame) -> pl.DataFrame:
    """One row a let property."""
    rows = (
        world.tenancies.select("prop_ref", "uprn")
        .unique("prop_ref", keep="first", maintain_order=True)
        .sort("prop_ref")
    )
    addresses = written_addresses(components, rows["uprn"], rates, SYSTEM)
    recorded = recorded_uprns(components, rows["uprn"], rates, SYSTEM)
    kinds = world.properties.select(true_uprn="uprn", parent_uprn="parent_uprn", kind="kind")
    rows = (
        pl.concat([rows.rename({"uprn": "true_uprn"}), addresses], how="horizontal")
        .with_columns(uprn=recorded)
        .join(kinds, on="true_uprn", how="left", maintain_order="left")
        .with_columns(
            major_ref=pl.when(pl.col("parent_uprn").is_not_null()).then(
                pl.concat_str(pl.lit("B"), pl.col("parent_uprn").cast(pl.String).str.slice(-7))
            ),
            short_address=one_line(["addr1", "addr2", "addr3"], separator=" "),
            post_code="postcode",
            landlord=pl.when(pl.col("true_uprn") % 5 == 0).then(pl.lit("COUNCIL")).otherwise(pl.lit("ALMO")),
            property_kind=pl.col("kind").str.to_uppercase().str.slice(0, 10),
        )
    )
    return batches_of(rows["prop_ref"], rates, "property", SYSTEM).apply(rows, postcode="post_code")


def _rent_accounts(world: World, extract_date: date) -> pl.DataFrame:
    """One row a tenancy: its rent account; a balance above nought is owed."""
    behind = recovery.standing(world.rent_arrears, recovery.RENT, extract_date).filter(pl.col("cleared_date").is_null())
    behind = behind.sort("tag_ref", "raised_date").unique("tag_ref", keep="last", maintain_order=True)
    accounts = world.tenancies.select("tag_ref", "rent").sort("tag_ref")
    return accounts.join(behind, on="tag_ref", how="left", maintain_order="left").with_columns(
        statement_date=pl.lit(extract_date.isoformat()),
        weekly_rent=pl.col("rent").round(2),
        balance=(pl.col("amount") * pl.col("left")).fill_null(0).round(2),
        arrears_stage=pl.col("stage").fill_null("0"),
        stage_date=pl.col("stage_date").dt.strftime("%Y-%m-%d"),
        arrears_since=pl.col("raised_date").dt.strftime("%Y-%m-%d"),
    )


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The housing delivery of extract_date; person key house_ref/person_no, address key prop_ref."""
    members = _members(world, rates)
    properties = _properties(world, rates, address_components(world))
    ended = pl.col("end_date").is_not_null() & (pl.col("end_date") <= extract_date)
    tenancies = world.tenancies.sort("tag_ref").with_columns(
        cot=pl.col("start_date").dt.strftime("%Y-%m-%d"),
        eot=pl.col("end_date").dt.strftime("%Y-%m-%d"),
        present=_flag(~ended),
        terminated=_flag(ended),
        rent=pl.col("rent").round(2),
    )
    members = with_intake_faults(members, "member.csv", rates)
    return Rendered(
        SYSTEM,
        [
            csv_file("tenagree.csv", tenancies, TENANCY),
            csv_file("member.csv", members, MEMBER),
            csv_file("property.csv", properties, PROPERTY),
            csv_file("rentaccount.csv", _rent_accounts(world, extract_date), RENT),
        ],
        truth_of(members, key_of("house_ref", "person_no"), "person_id", "source_key"),
        properties.select(address_key="prop_ref", uprn="true_uprn"),
    )
