"""The world: who lives where, and what each system of the council believes about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from synthetic_data.administration.benefits import benefits
from synthetic_data.administration.business import business_rates
from synthetic_data.administration.care import care, known_clients
from synthetic_data.administration.case_management import case_management
from synthetic_data.administration.children import children
from synthetic_data.administration.citizen_accounts import citizen_accounts
from synthetic_data.administration.council_tax import council_tax
from synthetic_data.administration.debts import debts
from synthetic_data.administration.housing import housing
from synthetic_data.administration.lettings import housing_register, lettings_log, right_to_buy
from synthetic_data.administration.patients import patients
from synthetic_data.administration.permits import permits
from synthetic_data.administration.planted import plant
from synthetic_data.administration.planted_protected import protected
from synthetic_data.administration.register import build_deaths, build_electors
from synthetic_data.administration.registrations import births, marriages, mortality
from synthetic_data.administration.scene import FRAMES, Scene, as_days
from synthetic_data.administration.schools import schools
from synthetic_data.events import build_history
from synthetic_data.frames import shaped
from synthetic_data.hazards import run_hazards
from synthetic_data.naming import name_people
from synthetic_data.persons import build_persons
from synthetic_data.places import build_places
from synthetic_data.population import build_population
from synthetic_data.randomness import stream
from synthetic_data.schemas import SCHEMAS
from synthetic_data.tenures import tenures
from synthetic_data.timeline import day_number

FEWEST_PEOPLE = 500
SPELL = {"from": "from_date", "to": "to_date"}
DEBT = {"raised": "raised_date", "settled": "settled_date"}
INTERNAL_DAYS = {  # the builders' day columns, and their names in the schema
    "names": SPELL,
    "households": SPELL,
    "residences": SPELL,
    "ct_accounts": {"start": "start_date", "end": "end_date"},
    "ct_liable": {"start": "from_date", "end": "to_date"},
    "ct_discounts": {"start": "from_date", "end": "to_date"},
    "claim_houses": {"start": "from_date", "end": "to_date"},
    "tenancies": {"start": "start_date", "end": "end_date"},
    "ct_arrears": DEBT,
    "overpayments": DEBT,
    "rent_arrears": DEBT,
    "permits": {"start": "start_date", "end": "end_date", "cancelled": "cancelled_date"},
    "lettings_log": {"start": "start_date"},
    "rates_reliefs": {"start": "start_date", "end": "end_date"},
}


@dataclass(frozen=True)
class World:
    """One frame a table; see frames.SCHEMAS for grain and columns."""

    as_of: date
    seed: int
    areas: pl.DataFrame
    streets: pl.DataFrame
    properties: pl.DataFrame
    persons: pl.DataFrame
    names: pl.DataFrame
    households: pl.DataFrame
    residences: pl.DataFrame
    ct_accounts: pl.DataFrame
    ct_liable: pl.DataFrame
    ct_discounts: pl.DataFrame
    claims: pl.DataFrame
    claim_houses: pl.DataFrame
    claim_members: pl.DataFrame
    tenancies: pl.DataFrame
    tenancy_members: pl.DataFrame
    electors: pl.DataFrame
    former_electors: pl.DataFrame
    care_clients: pl.DataFrame
    care_events: pl.DataFrame
    care_enquirers: pl.DataFrame
    care_addresses: pl.DataFrame
    care_payments: pl.DataFrame
    patient_spells: pl.DataFrame
    patient_numbers: pl.DataFrame
    pupils: pl.DataFrame
    pupil_contacts: pl.DataFrame
    pupil_terms: pl.DataFrame
    pupil_needs: pl.DataFrame
    former_pupils: pl.DataFrame
    former_contacts: pl.DataFrame
    former_terms: pl.DataFrame
    children_in_need: pl.DataFrame
    placements: pl.DataFrame
    young_people: pl.DataFrame
    death_registrations: pl.DataFrame
    ct_arrears: pl.DataFrame
    overpayments: pl.DataFrame
    rent_arrears: pl.DataFrame
    permits: pl.DataFrame
    citizen_accounts: pl.DataFrame
    register_applications: pl.DataFrame
    register_people: pl.DataFrame
    rtb_applications: pl.DataFrame
    lettings_log: pl.DataFrame
    birth_registrations: pl.DataFrame
    birth_parties: pl.DataFrame
    marriages: pl.DataFrame
    marriage_parties: pl.DataFrame
    mortality: pl.DataFrame
    rates_accounts: pl.DataFrame
    rates_reliefs: pl.DataFrame
    planted: pl.DataFrame
    hazards: pl.DataFrame
    protected: pl.DataFrame


def load_facts() -> dict[str, Any]:
    """The borough's facts, with their sources, from southend.yaml."""
    facts: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "southend.yaml").read_text(encoding="utf-8"))
    return facts


def build_world(people: int, seed: int, as_of: date, days: Sequence[date] = ()) -> World:
    """A borough in which exactly `people` persons live on the day `as_of`; too small a one is refused.

    `days` are those of the monthly deliveries, `as_of` the last; between them the hazards run, and the few who lose
    their home when no other stands empty leave.
    """
    if people < FEWEST_PEOPLE:
        raise ValueError(f"a borough needs at least {FEWEST_PEOPLE} people, {people} were asked for")
    facts = load_facts()
    areas, streets, units = build_places(facts, round(people / facts["household_size"]), seed, as_of)
    units = units.with_columns(tenures(units, facts, seed))
    history = build_history(build_population(units, people, facts, seed), units, facts, seed, as_of)
    day = day_number(as_of)
    named = name_people(history, day, seed)
    persons = build_persons(named.people, history, day, seed)
    opening = day_number(days[0]) if days else day
    scene = Scene(day, seed, units, history.homes, history.stays, persons, opening)
    hazards, clients = pl.DataFrame(schema=SCHEMAS["hazards"]), None
    if len(days) > 1:
        clients = known_clients(scene, stream(seed, "care"))
        scene.in_home_care = clients.filter(~pl.col("is_carer") & (pl.col("role") != "resident"))["person_id"]
        course = run_hazards(scene, areas, days)
        scene, hazards = course.scene, course.truth
    frames = council_tax(scene) | {"hazards": hazards}
    frames |= build_electors(scene) | {"death_registrations": build_deaths(scene)}
    frames |= housing(scene) | benefits(scene, frames["ct_accounts"]) | care(scene, clients)
    frames |= case_management(scene, frames) | patients(scene, frames) | schools(scene)
    frames |= children(scene, frames)
    frames |= {
        "areas": areas,
        "streets": streets,
        "properties": units,
        "persons": scene.persons,
        "names": named.names.with_columns(sex=pl.lit(None, dtype=pl.String)),
        "households": scene.homes,
        "residences": scene.stays,
    }
    frames |= plant(scene, frames)
    frames |= later_offices(replace(scene, stays=frames["residences"], persons=frames["persons"]), frames)
    frames |= protected(scene, frames)
    return World(as_of=as_of, seed=seed, **{name: shaped(name, dated(name, frames[name])) for name in SCHEMAS})


def later_offices(scene: Scene, frames: FRAMES) -> FRAMES:
    """What rests on the books of other offices, planted cases included; nothing planted rests on it."""
    return (
        debts(scene, frames)
        | permits(scene)
        | citizen_accounts(scene)
        | housing_register(scene)
        | right_to_buy(scene, frames)
        | lettings_log(scene, frames)
        | births(scene)
        | marriages(scene, frames)
        | mortality(scene, frames)
        | business_rates(scene)
    )


def dated(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The builders' day numbers under the names of the schema, as dates."""
    frame = frame.rename(INTERNAL_DAYS.get(name, {}))
    return as_days(frame, *[c for c, kind in SCHEMAS[name].items() if kind == pl.Date and frame.schema[c].is_integer()])
