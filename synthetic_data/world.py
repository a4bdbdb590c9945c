"""The world: who lives where, and what each system of the council believes about it."""

from dataclasses import dataclass
from datetime import date

import polars as pl


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
    care_clients: pl.DataFrame
    care_events: pl.DataFrame
    death_registrations: pl.DataFrame
    planted: pl.DataFrame


def build_world(people: int, seed: int, as_of: date) -> World:
    """A borough in which exactly `people` persons live on the day `as_of`."""
    from synthetic_data.sketch import sketch_frames

    return World(as_of=as_of, seed=seed, **sketch_frames(people, seed, as_of))
