"""Care 1st, the case management of adult social care: everyone who ever asked, their addresses, what is paid."""

import numpy as np
import polars as pl

from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.randomness import distinct, stream

ENQUIRERS = (
    [18, 40, 60, 75, 90, 100],
    [0.004, 0.006, 0.015, 0.06, 0.12, 0.12],
)  # by age: asked once, no care followed; guess
FOUR_WEEKS, PAID_DAYS = 28, 364  # payments run by four weeks, a year is handed over
CARE_HOME_WEEK, CARE_HOME_SPREAD = 920.0, 160.0  # pounds a week; NHSE ASC finance report 2023-24, rounded
DIRECT_PAYMENT_WEEK = 260.0  # mean pounds a week; NHSE ASC finance report 2023-24, rounded


def case_management(scene: Scene, frames: FRAMES) -> FRAMES:
    """care_enquirers, care_addresses and care_payments, days as numbers; needs care_clients and care_events."""
    rng = stream(scene.seed, "case management")
    clients, events = frames["care_clients"], frames["care_events"]
    enquirers = _enquirers(scene, clients, rng)
    known = pl.concat(
        [clients.select("care_id", "person_id", "uprn"), enquirers.select("care_id", "person_id", "uprn")]
    )
    return {
        "care_enquirers": enquirers,
        "care_addresses": _addresses(scene, known, rng),
        "care_payments": _payments(scene, events, rng),
    }


def _enquirers(scene: Scene, clients: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row an adult who asked and got advice only; no event of theirs lies within the reported year."""
    people = (
        scene.residents()
        .filter(pl.col("current") & (pl.col("age") >= 18) & ~pl.col("person_id").is_in(clients["person_id"].implode()))
        .unique("person_id", keep="last", maintain_order=True)
    )
    chance = np.interp(people["age"].to_numpy(), *ENQUIRERS)
    people = people.filter(pl.Series(rng.random(len(people)) < chance))
    return people.select(
        # clients have six digits after the L, enquirers seven
        care_id="L" + pl.Series(np.sort(distinct(rng, len(people), 1_000_000, 9_999_999))).cast(pl.String),
        person_id="person_id",
        uprn="uprn",
        from_date=pl.Series(scene.as_of - 400 - (rng.random(len(people)) ** 1.3 * 1800).astype(np.int64)),
    )


def _addresses(scene: Scene, known: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row a person and address: each home of theirs in the borough that the system heard of, the last one open."""
    stays = (
        scene.residents()
        .select("person_id", "uprn", "lived_at", "from", "to", "death")
        .join(
            known.select("person_id", "care_id", last_known="uprn"), on="person_id", how="inner", maintain_order="left"
        )
        .with_columns(uprn=pl.coalesce("uprn", "lived_at"))
        .sort("care_id", "from", maintain_order=True)
    )
    stays = stays.with_columns(
        until=pl.col("from").filter(pl.col("uprn") == pl.col("last_known")).max().over("care_id")
    )
    # what came after the last home that the system knows of, it doesn't know; of the homes before, it kept half
    heard = pl.Series(rng.random(len(stays)) < 0.5)
    stays = stays.filter(
        (pl.col("uprn") == pl.col("last_known")) | (heard & (pl.col("from") < pl.col("until")))
    ).with_columns(is_last=pl.int_range(pl.len()).over("care_id") == pl.len().over("care_id") - 1)
    return stays.select(
        address_ref="A" + pl.Series(distinct(rng, len(stays), 1_000_000, 9_999_999)).cast(pl.String),
        care_id="care_id",
        uprn="uprn",
        start_date="from",
        end_date=pl.when(pl.col("is_last")).then(pl.col("death")).otherwise("to"),
    )


def _payments(scene: Scene, events: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row a payment: a direct payment or a care home's fee for up to four weeks of one service."""
    home = pl.col("service_component") == "Residential Care"
    services = events.filter(
        (pl.col("event_type") == "Service") & (home | (pl.col("delivery_mechanism") == "Direct Payment"))
    ).with_columns(kind=pl.when(home).then(pl.lit("care_home")).otherwise(pl.lit("direct_payment")))
    count = len(services)
    weekly = np.where(
        services["kind"].to_numpy() == "care_home",
        rng.normal(CARE_HOME_WEEK, CARE_HOME_SPREAD, count).clip(400),
        rng.gamma(4.0, DIRECT_PAYMENT_WEEK / 4.0, count).clip(20),
    )
    services = services.with_columns(
        weekly=pl.Series(weekly), provider=pl.Series(rng.integers(100, 190, count)).cast(pl.String)
    )
    first = scene.as_of - PAID_DAYS
    begins = pl.max_horizontal("start_date", pl.lit(first))
    ends = pl.min_horizontal("end_date", pl.lit(scene.as_of))
    runs = (
        services.with_columns(begins=begins, ends=ends)
        .filter(pl.col("begins") < pl.col("ends"))
        .with_columns(start=pl.int_ranges("begins", "ends", FOUR_WEEKS))
        .explode("start", empty_as_null=True)
        .with_columns(end=pl.min_horizontal(pl.col("start") + FOUR_WEEKS - 1, "ends"))
    )
    days = pl.col("end") - pl.col("start") + 1
    return runs.select(
        payment_ref="Y" + pl.Series(distinct(rng, len(runs), 10_000_000, 99_999_999)).cast(pl.String),
        care_id="care_id",
        kind="kind",
        provider_ref=pl.when(pl.col("kind") == "care_home").then(pl.lit("CH") + pl.col("provider")),
        start_date="start",
        end_date="end",
        amount=(pl.col("weekly") / 7 * days).round(2),
    )
