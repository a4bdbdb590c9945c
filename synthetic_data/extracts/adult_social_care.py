"""Adult social care, Client Level Data release 1: one row an event, a postcode and no address.

Layout: UTF-8, dates yyyy-mm-dd; the header is NHS England's, blanks and colon included (source_formats 2c).
"""

from datetime import date, timedelta

import polars as pl

from synthetic_data.address_text import address_components, damaged_postcodes
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


def _clients(world: World, rates: Rates, extract_date: date) -> pl.DataFrame:
    """One row a client, as every event of the client repeats it."""
    first = world.care_events.group_by("care_id").agg(known_from=pl.col("start_date").min())
    rows = (
        world.care_clients.join(first, on="care_id", how="left")
        .join(world.persons.select("person_id", "death_date"), on="person_id", how="left")
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
    )
    batches = batches_of(people["row_key"], rates, "cld", SYSTEM)
    people = batches.apply(people, forename="forename", surname="surname", birth_date="birth_date", postcode="postcode")
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
        pl.when(funding < 0.6).then(pl.lit("ASC Funded")).when(funding < 0.85).then(pl.lit("Joint NHS / ASC Funded"))
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


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The client level data of extract_date; person key and address key LA Person Unique Identifier."""
    clients = _clients(world, rates, extract_date)
    events = _events(world).join(clients, on="care_id", how="inner", maintain_order="left")
    empty = [column for column in CLD if column not in events.columns]
    events = events.with_columns(pl.lit(None, dtype=pl.String).alias(column) for column in empty)
    events = with_intake_faults(events, "cld.csv", rates)
    seen = clients.filter(pl.col("care_id").is_in(events["care_id"].unique().implode()))
    return Rendered(
        SYSTEM,
        [csv_file("cld.csv", events, CLD)],
        truth_of(seen, pl.col("care_id"), "person_id", "source_key"),
        truth_of(seen, pl.col("care_id"), "uprn", "address_key"),
    )
