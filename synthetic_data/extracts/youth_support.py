"""Integrated Youth Support Service: the monthly NCCIS return as XML, one element a young person.

Layout: dates yyyy-mm-dd; the address in one element; what is unknown has no element.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import address_components, one_line, recorded_uprns, written_addresses
from synthetic_data.corruption.batches import batches_of
from synthetic_data.corruption.names import damaged_names, people_of
from synthetic_data.corruption.numbers import damaged_birth_dates, damaged_sexes, kept
from synthetic_data.extracts.delivery import Rendered, truth_of
from synthetic_data.extracts.xml_text import element, xml_file
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "youth_support"


def _young(world: World, rates: Rates, extract_date: date) -> pl.DataFrame:
    """One row a young person, as the service wrote them down."""
    rows = (
        world.young_people.sort("young_id")
        .join(world.protected, on="person_id", how="left", maintain_order="left")
        .join(world.persons.select("person_id", "phone", "email"), on="person_id", how="left", maintain_order="left")
        .with_columns(known_from="start_date", known_to=pl.lit(extract_date), row_key="young_id")
    )
    people = damaged_names(people_of(rows, world.names, world.persons, rates, SYSTEM), rates, SYSTEM)
    draws = rates.draws("young:numbers", people["row_key"])
    people = people.with_columns(
        birth_date=damaged_birth_dates(people, rates, SYSTEM, world.as_of),
        sex=damaged_sexes(people, rates, SYSTEM),
        upn=kept(people["upn"], rates.coverage(SYSTEM, "upn"), draws),
        phone=kept(people["phone"], rates.coverage(SYSTEM, "phone"), draws),
        email=kept(people["email"], rates.coverage(SYSTEM, "email"), draws),
    )
    people = batches_of(people["row_key"], rates, "young", SYSTEM).apply(
        people, forename="forename", surname="surname", birth_date="birth_date"
    )
    components = address_components(world)
    written = written_addresses(components, people["uprn"], rates, SYSTEM)
    recorded = recorded_uprns(components, people["uprn"], rates, SYSTEM)
    return pl.concat([people, written], how="horizontal").with_columns(address=one_line(), recorded=recorded)


def _element(person: dict[str, object]) -> str:
    name = element("Name", {"Given": person["forename"], "Family": person["surname"]})
    home = element("Address", {"Lines": person["address"], "PostCode": person["postcode"], "UPRN": person["recorded"]})
    doing = element("Activity", {"Code": person["activity"], "StartDate": person["start_date"]})
    return element(
        "YoungPerson",
        {
            "UPN": person["upn"],
            "ULN": person["uln"],
            "BirthDate": person["birth_date"],
            "Gender": person["sex"],
            "Telephone": person["phone"],
            "Email": person["email"],
            "Restricted": "Y" if person["flag"] == "restricted" else "N",
        },
        name + home + doing,
        YoungPersonID=str(person["young_id"]),
    )


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The return of extract_date; person key and address key YoungPersonID."""
    people = _young(world, rates, extract_date)
    elements = [_element(person) for person in people.iter_rows(named=True)]
    header = element("Header", {"Collection": "NCCIS", "Month": extract_date.strftime("%Y-%m"), "LA": "882"})
    return Rendered(
        SYSTEM,
        [xml_file("nccis.xml", "NCCIS", header, ["<YoungPeople>", *elements, "</YoungPeople>"], people.height)],
        truth_of(people, pl.col("young_id"), "person_id", "source_key"),
        truth_of(people, pl.col("young_id"), "uprn", "address_key"),
    )
