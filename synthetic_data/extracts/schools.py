"""Schools and SEN, Capita One shape: tables like those of the school census, attendance, contacts.

Layout: UTF-8, dates dd/mm/yyyy. UPRNs come out of a spreadsheet: 100090123456.0, and -1.0 where none is known.
"""

from dataclasses import replace
from datetime import date

import polars as pl

from synthetic_data.address_text import address_components, recorded_uprns, written_addresses
from synthetic_data.corruption.batches import batches_of
from synthetic_data.corruption.names import damaged_names, people_of
from synthetic_data.corruption.numbers import damaged_birth_dates, damaged_sexes, kept
from synthetic_data.extracts.delivery import Rendered, csv_file, truth_of, with_intake_faults
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "schools"
DATE = "%d/%m/%Y"
PUPIL = ["pupilid", "upn", "formerupn", "uniquelearnernumber", "surname", "forename", "middlenames", "preferredsurname",
         "formersurname", "dob", "sex", "schoolurn", "ncyear", "entrydate", "leavingdate", "adoptedfromcare",
         "restricted"]  # fmt: skip
ADDRESS = ["pupilid", "addressline1", "addressline2", "addressline3", "postcode", "uniquepropertyreferencenumber"]
CONTACT = ["contactid", "title", "forename", "surname", "sex", "phone", "email"]
RELATION = ["pupilid", "contactid", "relationship", "priority", "samehome"]
ATTENDANCE = ["pupilid", "term", "termstart", "termend", "possible", "authorised", "unauthorised"]
NEED = ["pupilid", "senprovision", "sentype", "sentyperank", "senstartdate"]


def _pupils(world: World, rates: Rates, extract_date: date) -> pl.DataFrame:
    """One row a pupil, as the school wrote the child down."""
    rows = (
        world.pupils.join(world.protected, on="person_id", how="left")
        .sort("pupil_id")
        .with_columns(
            known_from="start_date", known_to=pl.coalesce("end_date", pl.lit(extract_date)), row_key="pupil_id"
        )
    )
    people = damaged_names(people_of(rows, world.names, world.persons, rates, SYSTEM), rates, SYSTEM)
    draws = rates.draws("pupil:numbers", people["row_key"])
    people = people.with_columns(
        birth_date=damaged_birth_dates(people, rates, SYSTEM, world.as_of),
        sex=damaged_sexes(people, rates, SYSTEM),
        upn=kept(people["upn"], rates.coverage(SYSTEM, "upn"), draws),
    )
    people = batches_of(people["row_key"], rates, "pupil", SYSTEM).apply(
        people, forename="forename", surname="surname", birth_date="birth_date"
    )
    year = pl.when(pl.col("year") == 0).then(pl.lit("R")).otherwise(pl.col("year").cast(pl.String))
    return people.with_columns(
        pupilid="pupil_id",
        formerupn=pl.lit(None, dtype=pl.String),
        uniquelearnernumber="uln",
        middlenames="middle",
        preferredsurname=pl.lit(None, dtype=pl.String),
        formersurname=pl.lit(None, dtype=pl.String),
        dob=pl.col("birth_date").dt.strftime(DATE),
        schoolurn="school",
        ncyear=year,
        entrydate=pl.col("start_date").dt.strftime(DATE),
        leavingdate=pl.when(pl.col("end_date") <= extract_date).then(pl.col("end_date").dt.strftime(DATE)),
        adoptedfromcare=pl.when(pl.col("flag") == "adoption").then(pl.lit("Y")).otherwise(pl.lit("N")),
        restricted=pl.when(pl.col("flag") == "restricted").then(pl.lit("Y")).otherwise(pl.lit("N")),
    )


def _addresses(world: World, rates: Rates) -> pl.DataFrame:
    """One row a pupil and home, with the true property (`uprn`)."""
    rows = world.pupils.filter(pl.col("uprn").is_not_null()).select("pupil_id", "uprn").sort("pupil_id")
    components = address_components(world)
    written = written_addresses(components, rows["uprn"], rates, SYSTEM)
    recorded = recorded_uprns(components, rows["uprn"], rates, SYSTEM)
    return pl.concat([rows, written], how="horizontal").select(
        "uprn",
        "postcode",
        pupilid="pupil_id",
        addressline1="addr1",
        addressline2="addr2",
        addressline3=pl.coalesce("addr4", "addr3"),
        uniquepropertyreferencenumber=pl.coalesce(recorded, pl.lit("-1")) + ".0",
    )


def _contacts(world: World, rates: Rates, extract_date: date) -> pl.DataFrame:
    """One row an adult to call, as the school wrote them down."""
    known = world.pupil_contacts.join(world.pupils.select("pupil_id", "start_date"), on="pupil_id", how="inner")
    rows = (
        known.group_by("contact_id", "person_id")
        .agg(known_from=pl.col("start_date").min())
        .join(world.persons.select("person_id", "phone", "email"), on="person_id", how="left")
        .sort("contact_id")
        .with_columns(known_to=pl.lit(extract_date), row_key="contact_id")
    )
    people = damaged_names(people_of(rows, world.names, world.persons, rates, SYSTEM), rates, SYSTEM)
    draws = rates.draws("contact:reached", people["row_key"])
    return people.with_columns(
        contactid="contact_id",
        sex=damaged_sexes(people, rates, SYSTEM),
        phone=kept(people["phone"], rates.coverage(SYSTEM, "phone"), draws),
        email=kept(people["email"], rates.coverage(SYSTEM, "email"), draws),
    )


def _relations(world: World) -> pl.DataFrame:
    return world.pupil_contacts.sort("pupil_id", "priority").with_columns(
        pupilid="pupil_id", contactid="contact_id", samehome=pl.lit("Y")
    )


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The schools' delivery of extract_date; person keys pupil/ID and contact/ID, address key the pupil's id."""
    lasting = pl.col("end_date").is_null() | (pl.col("end_date") > extract_date)
    on_roll = pl.concat([world.former_pupils.filter(lasting), world.pupils])
    pupils = on_roll.unique("pupil_id", keep="last", maintain_order=True)
    contacts = pl.concat([world.pupil_contacts, world.former_contacts])
    contacts = contacts.join(pupils.select("pupil_id"), on="pupil_id", how="semi", maintain_order="left")
    world = replace(world, pupils=pupils, pupil_contacts=contacts)
    last_year = extract_date.year - (1 if extract_date.month >= 9 else 2)
    written = with_intake_faults(_pupils(world, rates, extract_date), "pupil.csv", rates)
    addresses, contacts = _addresses(world, rates), _contacts(world, rates, extract_date)
    terms = (
        pl.concat([world.pupil_terms, world.former_terms])
        .filter((pl.col("end_date") <= extract_date) & (pl.col("start_date") >= date(last_year, 8, 31)))
        .join(world.pupils.select("pupil_id"), on="pupil_id", how="semi")
        .sort("pupil_id", "term")
        .with_columns(
            pupilid="pupil_id",
            termstart=pl.col("start_date").dt.strftime(DATE),
            termend=pl.col("end_date").dt.strftime(DATE),
        )
    )
    needs = world.pupil_needs.sort("pupil_id", "rank").with_columns(
        pupilid="pupil_id",
        senprovision="provision",
        sentype="need",
        sentyperank="rank",
        senstartdate=pl.col("start_date").dt.strftime(DATE),
    )
    truth = [
        truth_of(written, pl.lit("pupil/") + pl.col("pupilid"), "person_id", "source_key"),
        truth_of(contacts, pl.lit("contact/") + pl.col("contactid"), "person_id", "source_key"),
    ]
    return Rendered(
        SYSTEM,
        [
            csv_file("pupil.csv", written, PUPIL),
            csv_file("address.csv", addresses, ADDRESS),
            csv_file("contact.csv", contacts, CONTACT),
            csv_file("pupil_contact.csv", _relations(world), RELATION),
            csv_file("attendance.csv", terms, ATTENDANCE),
            csv_file("sen.csv", needs, NEED),
        ],
        pl.concat(truth),
        truth_of(addresses, pl.col("pupilid"), "uprn", "address_key"),
    )
