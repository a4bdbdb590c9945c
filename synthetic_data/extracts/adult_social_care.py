"""Adult social care: Client Level Data release 1 beside the person, address and payment tables of case management.

Layout: UTF-8, dates yyyy-mm-dd; the header of the former is NHS England's, blanks and colon included, the tables are
shaped like Mosaic's DM_PERSONS and DM_ADDRESSES. One client has one id in all of them.
"""

from datetime import date, timedelta

import polars as pl

from synthetic_data.address_text import (
    address_components,
    damaged_postcodes,
    one_line,
    recorded_uprns,
    written_addresses,
)
from synthetic_data.corruption.batches import batches_of
from synthetic_data.corruption.names import damaged_names, people_of
from synthetic_data.corruption.numbers import damaged_birth_dates, damaged_sexes, kept
from synthetic_data.extracts.delivery import Rendered, csv_file, truth_of, with_intake_faults
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "adult_social_care"
DATE = "%Y-%m-%d"
CLD = [
    "LA_Code", "LA_Name", "Reporting Period Start Date", "Reporting Period End Date", "NHS Number",
    "LA Person Unique Identifier", "First Name", "Last Name", "GP Practice Name", "GP Practice Code", "Gender",
    "Ethnicity", "Date of Birth", "Date of Death", "Client Type", "Primary Support Reason", "Postcode",
    "Accommodation Status", "Employment Status", "Has Unpaid Carer", "Autism Spectrum Disorder (ASD)",
    "Visual Impairment", "Hearing Impairment", "Dementia", "Client Funding Status", "Event Type", "Event Reference",
    "Event Start Date", "Event End Date", "Event Description", "Event Outcome", "Request: Route of Access",
    "Assessment Type", "Eligible Needs Identified", "Method of Assessment", "Total Hrs Caring per week",
    "No. of adults being cared for", "Adult 1 Linked Person_ID", "Adult 2 Linked Person_ID",
    "Adult 3 Linked Person_ID", "Service Type", "Service Component", "Delivery Mechanism",
    "Provider CQC Location Name", "Provider CQC Location ID", "Review Reason", "Review Outcomes Achieved",
    "Method of Review", "Unit Cost", "Cost Frequency (Unit Type)", "Planned units per week",
]  # fmt: skip
PERSON = ["PERSON_ID", "NHS_ID", "TITLE", "FIRST_NAME", "LAST_NAME", "DATE_OF_BIRTH", "DATE_OF_DEATH", "GENDER",
          "RESTRICTED", "RESTRICTED_REASON", "CONTEXT_FLAG", "PHONE", "FIRST_CONTACT"]  # fmt: skip
ADDRESS = ["ADDRESS_REF", "PERSON_ID", "START_DATE", "END_DATE", "ADDRESS", "POST_CODE", "ADDRESS_TYPE", "UNIQUE_ID"]
DIRECT_PAYMENT = ["PAYMENT_REF", "PERSON_ID", "PERIOD_START", "PERIOD_END", "AMOUNT"]
CARE_HOME_PAYMENT = ["PAYMENT_REF", "PERSON_ID", "PROVIDER_REF", "PERIOD_START", "PERIOD_END", "AMOUNT"]
REASONS = {"restricted": "CASE", "staff": "STAFF", "refuge": "REFUGE", "gender_recognition": "GRC"}
ETHNICITIES = {
    "white_british": "White: English / Welsh / Scottish / Northern Irish / British",
    "white_other": "White: Any other White background",
    "black_african": "Black / African / Caribbean / Black British: African",
    "black_caribbean": "Black / African / Caribbean / Black British: Caribbean",
    "indian": "Asian / Asian British: Indian",
    "pakistani": "Asian / Asian British: Pakistani",
    "bangladeshi": "Asian / Asian British: Bangladeshi",
    "chinese": "Asian / Asian British: Chinese",
    "other_asian": "Asian / Asian British: Any other Asian background",
    "arab": "Other ethnic group: Arab",
    "mixed": "Mixed / multiple ethnic groups: Any other Mixed / multiple ethnic background",
    "other": "Other ethnic group: Any other ethnic group",
}


def _known(world: World, rates: Rates, extract_date: date) -> pl.DataFrame:
    """One row a client or enquirer, as the case management system wrote the person down."""
    first = world.care_events.group_by("care_id").agg(known_from=pl.col("start_date").min())
    clients = world.care_clients.join(first, on="care_id", how="left")
    enquirers = world.care_enquirers.rename({"from_date": "known_from"})
    rows = (
        pl.concat([clients, enquirers], how="diagonal")
        .join(world.protected, on="person_id", how="left")
        .join(world.persons.select("person_id", "death_date", "phone"), on="person_id", how="left")
        .sort("care_id")
        .with_columns(pl.col("known_from").fill_null(extract_date), known_to=pl.lit(extract_date), row_key="care_id")
    )
    people = damaged_names(people_of(rows, world.names, world.persons, rates, SYSTEM), rates, SYSTEM)
    postcodes = address_components(world).select("uprn", "postcode")
    people = people.join(postcodes, on="uprn", how="left", maintain_order="left")
    draws = rates.draws("cld:clients", people["row_key"])
    practice = pl.Series(1 + draws.below(26))
    funding = pl.Series(draws.random())
    people = people.with_columns(
        birth_date=damaged_birth_dates(people, rates, SYSTEM, world.as_of),
        sex=damaged_sexes(people, rates, SYSTEM),
        nhs_number=kept(people["nhs_number"], rates.coverage(SYSTEM, "nhs_number"), draws),
        postcode=damaged_postcodes(people["postcode"], people["row_key"], rates, SYSTEM),
        practice=practice,
        funding=funding,
        phone=kept(people["phone"], rates.coverage(SYSTEM, "phone"), draws),
    )
    batches = batches_of(people["row_key"], rates, "cld", SYSTEM)
    return batches.apply(people, forename="forename", surname="surname", birth_date="birth_date", postcode="postcode")


def _clients(people: pl.DataFrame, extract_date: date) -> pl.DataFrame:
    """One row a person, as every event of the client repeats it."""
    aged = pl.lit(extract_date.year) - pl.col("birth_date").dt.year()
    return people.select(
        "care_id",
        "person_id",
        "uprn",
        pl.lit("E06000033").alias("LA_Code"),
        pl.lit("Southend-on-Sea").alias("LA_Name"),
        pl.lit((extract_date - timedelta(days=364)).strftime(DATE)).alias("Reporting Period Start Date"),
        pl.lit(extract_date.strftime(DATE)).alias("Reporting Period End Date"),
        pl.col("nhs_number").alias("NHS Number"),
        pl.col("care_id").alias("LA Person Unique Identifier"),
        pl.col("forename").alias("First Name"),
        pl.col("surname").alias("Last Name"),
        pl.format("Practice {}", "practice").alias("GP Practice Name"),
        pl.format("F99{}", pl.col("practice").cast(pl.String).str.zfill(3)).alias("GP Practice Code"),
        pl.col("sex").replace_strict({"M": "Male", "F": "Female"}, default="Unknown").alias("Gender"),
        pl.col("ethnic_group").replace_strict(ETHNICITIES, default="Undeclared / Not known: Undeclared")
        .alias("Ethnicity"),
        pl.col("birth_date").dt.strftime(DATE).alias("Date of Birth"),
        pl.when(pl.col("death_date") <= extract_date).then(pl.col("death_date").dt.strftime(DATE))
        .alias("Date of Death"),
        pl.col("client_type").alias("Client Type"),
        pl.col("primary_support_reason").alias("Primary Support Reason"),
        pl.col("postcode").alias("Postcode"),
        pl.col("accommodation_status").alias("Accommodation Status"),
        pl.when(aged >= 65).then(pl.lit("Retired"))
        .otherwise(pl.lit("Not in Paid Employment (not actively seeking work)"))
        .alias("Employment Status"),
        pl.col("has_unpaid_carer").alias("Has Unpaid Carer"),
        pl.when(pl.col("primary_support_reason").str.contains("Memory")).then(pl.lit("Yes")).otherwise(pl.lit("No"))
        .alias("Dementia"),
        pl.when(pl.col("funding") < 0.6).then(pl.lit("ASC Funded"))
        .when(pl.col("funding") < 0.85).then(pl.lit("Joint NHS / ASC Funded"))
        .otherwise(pl.lit("Client Funded")).alias("Client Funding Status"),
    )  # fmt: skip


def _events(world: World) -> pl.DataFrame:
    """One row an event, in the columns that the event itself fills."""
    kind = pl.col("event_type")
    return world.care_events.sort("care_id", "start_date", "event_ref").select(
        "care_id",
        kind.alias("Event Type"),
        pl.col("event_ref").alias("Event Reference"),
        pl.col("start_date").dt.strftime(DATE).alias("Event Start Date"),
        pl.col("end_date").dt.strftime(DATE).alias("Event End Date"),
        pl.col("description").alias("Event Description"),
        pl.col("outcome").alias("Event Outcome"),
        pl.when(kind == "Request").then(pl.lit("Community / Other route")).alias("Request: Route of Access"),
        pl.when(kind == "Assessment").then(pl.lit("Long Term Assessment")).alias("Assessment Type"),
        pl.when(kind == "Assessment").then(pl.lit("Yes")).alias("Eligible Needs Identified"),
        pl.when(kind == "Assessment").then(pl.lit("Face-to-face")).alias("Method of Assessment"),
        pl.col("service_type").alias("Service Type"),
        pl.col("service_component").alias("Service Component"),
        pl.col("delivery_mechanism").alias("Delivery Mechanism"),
        pl.when(kind == "Review").then(pl.lit("Planned")).alias("Review Reason"),
        pl.when(kind == "Review").then(pl.lit("Fully Achieved")).alias("Review Outcomes Achieved"),
        pl.when(kind == "Review").then(pl.lit("Face-to-face")).alias("Method of Review"),
        pl.col("unit_cost").round(2).alias("Unit Cost"),
        pl.when(pl.col("unit_cost").is_not_null()).then(pl.lit("Per Week")).alias("Cost Frequency (Unit Type)"),
        pl.col("planned_units").round(2).alias("Planned units per week"),
    )


def _persons(people: pl.DataFrame, extract_date: date) -> pl.DataFrame:
    """One row a client or enquirer, in the columns of the person table."""
    return people.select(
        "person_id",
        PERSON_ID="care_id",
        NHS_ID="nhs_number",
        TITLE="title",
        FIRST_NAME="forename",
        LAST_NAME="surname",
        DATE_OF_BIRTH=pl.col("birth_date").dt.strftime(DATE),
        DATE_OF_DEATH=pl.when(pl.col("death_date") <= extract_date).then(pl.col("death_date").dt.strftime(DATE)),
        GENDER=pl.col("sex").fill_null("U"),
        RESTRICTED=pl.when(pl.col("flag").is_not_null()).then(pl.lit("Y")).otherwise(pl.lit("N")),
        RESTRICTED_REASON=pl.col("flag").replace_strict(REASONS, default=None, return_dtype=pl.String),
        CONTEXT_FLAG=pl.lit("A"),
        PHONE="phone",
        FIRST_CONTACT=pl.col("known_from").dt.strftime(DATE),
    )


def _addresses(world: World, rates: Rates, people: pl.DataFrame) -> pl.DataFrame:
    """One row a person and address, with the true property (`uprn`)."""
    rows = world.care_addresses.join(people.select("care_id", "flag"), on="care_id", how="inner").sort("address_ref")
    components = address_components(world)
    written = written_addresses(components, rows["uprn"], rates, SYSTEM, rows["address_ref"])
    recorded = recorded_uprns(components, rows["uprn"], rates, SYSTEM, rows["address_ref"])
    return pl.concat([rows, written], how="horizontal").select(
        "uprn",
        ADDRESS_REF="address_ref",
        PERSON_ID="care_id",
        START_DATE=pl.col("start_date").dt.strftime(DATE),
        END_DATE=pl.col("end_date").dt.strftime(DATE),
        ADDRESS=one_line(),
        POST_CODE="postcode",
        ADDRESS_TYPE=pl.when((pl.col("flag") == "refuge") & pl.col("end_date").is_null())
        .then(pl.lit("Refuge"))
        .otherwise(pl.lit("Home")),
        UNIQUE_ID=recorded,
    )


def _payments(world: World, kind: str, known: pl.Series) -> pl.DataFrame:
    return (
        world.care_payments.filter((pl.col("kind") == kind) & pl.col("care_id").is_in(known))
        .sort("payment_ref")
        .select(
            PAYMENT_REF="payment_ref",
            PERSON_ID="care_id",
            PROVIDER_REF="provider_ref",
            PERIOD_START=pl.col("start_date").dt.strftime(DATE),
            PERIOD_END=pl.col("end_date").dt.strftime(DATE),
            AMOUNT="amount",
        )
    )


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The delivery of extract_date; person key the client's id, address key ADDRESS_REF."""
    people = _known(world, rates, extract_date)
    known = people["care_id"].implode()
    events = _events(world).join(_clients(people, extract_date), on="care_id", how="inner", maintain_order="left")
    empty = [column for column in CLD if column not in events.columns]
    events = events.with_columns(pl.lit(None, dtype=pl.String).alias(column) for column in empty)
    events = with_intake_faults(events, "cld.csv", rates)
    persons = _persons(people, extract_date)
    addresses = _addresses(world, rates, people)
    return Rendered(
        SYSTEM,
        [
            csv_file("cld.csv", events, CLD),
            csv_file("persons.csv", persons, PERSON),
            csv_file("addresses.csv", addresses, ADDRESS),
            csv_file("direct_payments.csv", _payments(world, "direct_payment", known), DIRECT_PAYMENT),
            csv_file("care_home_payments.csv", _payments(world, "care_home", known), CARE_HOME_PAYMENT),
        ],
        truth_of(persons, pl.col("PERSON_ID"), "person_id", "source_key"),
        truth_of(addresses, pl.col("ADDRESS_REF"), "uprn", "address_key"),
    )
