"""Registered deaths: all forenames in one field, maiden surname, the usual address as one string.

Layout: UTF-8 with byte order mark, dates yyyymmdd.
"""

from datetime import date

import numpy as np
import polars as pl

from synthetic_data.address_text import address_components, one_line, written_addresses
from synthetic_data.corruption.batches import batches_of
from synthetic_data.corruption.names import damaged_names, people_of
from synthetic_data.corruption.numbers import damaged_birth_dates, damaged_sexes, kept
from synthetic_data.extracts.delivery import Rendered, csv_file, truth_of, with_intake_faults
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "deaths"
DEATHS = ["registration_id", "registered_date", "date_of_death", "title", "forenames", "surname", "maiden_surname",
          "sex", "date_of_birth", "usual_address", "postcode", "occupation_text"]  # fmt: skip
RETIREMENT_AGE = 66  # State Pension age in 2026
OCCUPATIONS = ("Housewife", "Clerk", "Teacher", "Shop assistant", "Bus driver", "Nurse", "Electrician",
               "Bank cashier", "Carpenter", "Civil servant", "Fisherman", "Telephonist", "Engineer", "Secretary",
               "Cleaner", "Bricklayer", "Postman", "Dressmaker", "Accountant", "Cook")  # fmt: skip


def _written(column: str) -> pl.Expr:
    return pl.col(column).dt.strftime("%Y%m%d")


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The deaths registered up to extract_date; person key and address key registration_id."""
    rows = (
        world.death_registrations.filter(pl.col("registered_date") <= extract_date)
        .join(world.persons.select("person_id", "birth_surname"), on="person_id", how="left")
        .sort("registration_id")
        .with_columns(known_from="death_date", known_to="death_date", row_key="registration_id")
    )
    people = people_of(rows, world.names, world.persons, rates, SYSTEM)
    married = (pl.col("sex") == "F") & (pl.col("birth_surname") != pl.col("surname"))
    people = damaged_names(people.with_columns(maiden_surname=pl.when(married).then("birth_surname")), rates, SYSTEM)
    addresses = written_addresses(address_components(world), people["uprn"], rates, SYSTEM, people["row_key"])
    draws = rates.draws("deaths:occupations", people["row_key"])
    work = pl.Series(np.array(OCCUPATIONS)[draws.below(len(OCCUPATIONS))], dtype=pl.String)
    lived = people["death_date"].dt.year() - people["birth_date"].dt.year()
    retired = pl.Series(np.where(lived.to_numpy() >= RETIREMENT_AGE, " (retired)", ""), dtype=pl.String)
    people = pl.concat([people, addresses], how="horizontal").with_columns(
        forenames=pl.concat_str("forename", "middle", separator=" ", ignore_nulls=True),
        usual_address=one_line(),
        birth_date=damaged_birth_dates(people, rates, SYSTEM, world.as_of),
        sex=damaged_sexes(people, rates, SYSTEM),
        occupation_text=kept(work + retired, rates.coverage(SYSTEM, "occupation"), draws),
    )
    batches = batches_of(people["row_key"], rates, "deaths", SYSTEM)
    people = batches.apply(
        people, surname="surname", birth_date="birth_date", postcode="postcode", text=("forenames", "usual_address")
    )
    deaths = people.with_columns(
        date_of_birth=_written("birth_date"),
        date_of_death=_written("death_date"),
        registered_date=_written("registered_date"),
    )
    deaths = with_intake_faults(deaths, "deaths.csv", rates)
    return Rendered(
        SYSTEM,
        [csv_file("deaths.csv", deaths, DEATHS, byte_order_mark=True)],
        truth_of(deaths, pl.col("registration_id"), "person_id", "source_key"),
        truth_of(deaths, pl.col("registration_id"), "uprn", "address_key"),
    )
