"""Council tax: an account for each spell in a dwelling, and who is liable.

An honest household with a single person discount has exactly one counted adult; every other adult has a disregard.
Notices come late, so some accounts outlive the household.
"""

import numpy as np
import polars as pl

from synthetic_data.administration.discounts import discounts
from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.frames import texts
from synthetic_data.randomness import distinct, stream, weighted
from synthetic_data.timeline import OPEN, YEAR

BEGAN = 8491  # 1 April 1993, when council tax began
KEPT_YEARS = 3  # ended accounts stay in the extract this long
LATE_NOTICE_DAYS = 38  # mean delay before an end is told; own estimate
SLOT_REUSE = 0.06  # share of private lets where the next tenant is written over the slot
LANDLORDS = [
    "ESTUARY LETTINGS LTD",
    "SEAFRONT HOMES LTD",
    "PIER PROPERTY MANAGEMENT LTD",
    "THAMES VIEW INVESTMENTS LTD",
    "KESTREL HOUSING LIMITED",
    "GARRISON ESTATES LTD",
    "COASTLINE RELOCATION LTD",
    "ORCHARD RESIDENTIAL LLP",
    "NORTHFIELD LETS LTD",
    "BLUE HARBOUR CARE LTD",
    "SILVER SHORE CARE HOMES LTD",
    "CAMPUS LIVING LTD",
]
LIABLE_ROLES = ["head", "partner", "sharer", "student"]


def spells(scene: Scene) -> pl.DataFrame:
    """One row a household's spell in a taxed property since the horizon, with whether its end has been told."""
    rng = stream(scene.seed, "council tax spells")
    taxed = scene.units.filter(
        (pl.col("is_dwelling") | pl.col("kind").is_in(["care_home", "student_hall"])) & (pl.col("logical_status") == 1)
    )
    known = scene.homes.filter(
        (pl.col("to") > scene.as_of - int(KEPT_YEARS * YEAR)) & pl.col("uprn").is_in(taxed["uprn"].implode())
    ).sort("uprn", "from", maintain_order=True)
    late = pl.Series(rng.exponential(LATE_NOTICE_DAYS, len(known)).astype(np.int64))
    known = known.with_columns(
        told=(pl.col("to") + late <= scene.as_of) | (pl.col("to") == OPEN),
        roll=pl.Series(rng.random(len(known))),
        after=pl.col("from").shift(-1).over("uprn"),
    )
    untold_before = (~pl.col("told")).shift(1).over("uprn").fill_null(False)
    return known.filter(~untold_before).with_columns(
        end=pl.when("told").then("to").otherwise(OPEN),
        reused=(pl.col("tenure") == "private_rent")
        & pl.col("told")
        & (pl.col("to") < OPEN)
        & pl.col("after").is_not_null()
        & (pl.col("roll") < SLOT_REUSE),
    )


def accounts(scene: Scene) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(accounts, spells with their account). A reused account holds two households after one another."""
    rng = stream(scene.seed, "accounts")
    known = spells(scene).with_columns(pl.col("reused").shift(1).over("uprn").fill_null(False).alias("over"))
    known = known.with_columns(over=pl.col("over") & (pl.col("from") >= pl.col("to").shift(1).over("uprn")))
    known = known.with_columns(number=(~pl.col("over")).cum_sum() - 1, in_slot=pl.col("over").cast(pl.Int64))
    refs = distinct(rng, len(known), 70_000_000, 79_999_999)
    known = known.with_columns(
        account_ref=pl.Series(refs[known["number"].to_numpy()]).cast(pl.String),
        day=pl.Series(rng.integers(0, 4, len(known))),
    )
    kind, roll = pl.col("kind"), pl.col("roll")
    by_company = (
        kind.is_in(["company_let", "care_home"])
        | (kind == "hmo")
        | pl.col("is_hall")
        | ((pl.col("tenure") == "private_rent") & roll.is_between(0.30, 0.33))
    )
    halls = scene.units.filter(pl.col("kind") == "student_hall")["uprn"]
    known = known.with_columns(is_hall=pl.col("uprn").is_in(halls.implode())).with_columns(
        liable_kind=pl.when(by_company)
        .then(pl.lit("company"))
        .when((roll > 0.995) & (pl.col("tenure") == "private_rent"))
        .then(pl.lit("unknown"))
        .otherwise(pl.lit("person"))
    )
    names = texts(np.array(LANDLORDS, dtype=object)[weighted(rng, [10, 9, 8, 7, 6, 5, 4, 4, 3, 2, 2, 2], len(known))])
    known = known.with_columns(company_name=pl.when(pl.col("liable_kind") == "company").then(names))
    book = known.group_by("account_ref", maintain_order=True).agg(
        property_uprn=pl.col("uprn").first(),
        start=(pl.col("from") + pl.col("day")).first(),
        end=pl.col("end").last(),
        liable_kind=pl.col("liable_kind").last(),
        company_name=pl.col("company_name").last(),
        forwarding_uprn=pl.lit(None, dtype=pl.Int64),
    )
    return book, known


def vacant_accounts(scene: Scene, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(accounts, liable) of dwellings that stand empty: executors, owners who left, landlords, nobody known."""
    rng = stream(scene.seed, "vacant accounts")
    live = known.filter(pl.col("end") == OPEN)["uprn"]
    empty = scene.units.filter(pl.col("is_dwelling") & ~pl.col("uprn").is_in(live.implode())).select("uprn", "tenure")
    last = (
        scene.homes.filter(pl.col("to") < OPEN)
        .sort("to", maintain_order=True)
        .group_by("uprn", maintain_order=True)
        .last()
        .select("uprn", "household_id", "to")
    )
    lead = (
        scene.stays.filter(pl.col("role") == "head")
        .group_by("household_id", maintain_order=True)
        .first()
        .select("household_id", "person_id")
    )
    empty = empty.join(last, on="uprn", how="left", maintain_order="left").join(
        lead, on="household_id", how="left", maintain_order="left"
    )
    empty = empty.join(scene.known.select("person_id", "death"), on="person_id", how="left", maintain_order="left")
    count = len(empty)
    roll = pl.Series(rng.random(count))
    owner = pl.col("tenure").is_in(["owned", "mortgage"])
    empty = empty.with_columns(
        account_ref=pl.Series(distinct(rng, count, 80_000_000, 89_999_999)).cast(pl.String),
        roll=roll,
        since=pl.col("to").fill_null(scene.as_of - 200),
        company=texts(np.array(LANDLORDS, dtype=object)[rng.integers(0, 9, count)]),
    )
    empty = empty.with_columns(
        liable_kind=pl.when(pl.col("death") < OPEN)
        .then(pl.lit("exors"))
        .when(owner & pl.col("person_id").is_not_null() & (pl.col("roll") < 0.8))
        .then(pl.lit("person"))
        .when(pl.col("roll") < 0.9)
        .then(pl.lit("void"))
        .otherwise(pl.lit("unknown"))
    )
    book = empty.select(
        "account_ref",
        property_uprn="uprn",
        start=pl.col("since") + 1,
        end=pl.lit(OPEN),
        liable_kind="liable_kind",
        company_name=pl.when(pl.col("liable_kind") == "void").then("company"),
        forwarding_uprn=pl.lit(None, dtype=pl.Int64),
    )
    liable = empty.select(
        "account_ref",
        slot=pl.lit(1),
        person_id=pl.when(pl.col("liable_kind").is_in(["exors", "person"])).then("person_id"),
        position=pl.when(pl.col("liable_kind") == "void").then(9).otherwise(7),
        start=pl.col("since") + 1,
        end=pl.lit(OPEN),
        in_slot=pl.lit(0),
    )
    return book, liable


def liable_people(scene: Scene, known: pl.DataFrame) -> pl.DataFrame:
    """One row an account, slot and occupant: heads, partners, joint tenants; companies without a person."""
    people = (
        scene.residents()
        .filter(pl.col("role").is_in(LIABLE_ROLES))
        .join(
            known.select("household_id", "account_ref", "liable_kind", "in_slot", "end"),
            on="household_id",
            how="inner",
            maintain_order="left",
        )
        .filter((pl.col("liable_kind") == "person") & (pl.col("to") > pl.col("from")))
    )
    age_then = (pl.min_horizontal("to", pl.lit(scene.as_of)) - pl.col("birth")) / YEAR
    people = people.filter(age_then >= 18).sort("account_ref", "in_slot", "from", "person_id", maintain_order=True)
    first = pl.col("role") == "head"
    people = (
        people.with_columns(lead=first)
        .sort(
            "account_ref", "in_slot", "lead", "person_id", descending=[False, False, True, False], maintain_order=True
        )
        .with_columns(slot=pl.int_range(1, pl.len() + 1).over("account_ref", "in_slot"))
    )
    tenant = pl.col("tenure").is_in(["owned", "mortgage"])
    persons = people.select(
        "account_ref",
        "slot",
        "person_id",
        position=pl.when(pl.col("slot") > 1)
        .then(1)
        .when(tenant)
        .then(7)
        .when(pl.col("tenure") == "rent_free")
        .then(6)
        .otherwise(4),
        start="from",
        end=pl.when(pl.col("to") == pl.col("home_to")).then("end").otherwise("to"),
        in_slot="in_slot",
    )
    others = known.filter(pl.col("liable_kind") != "person").select(
        "account_ref",
        slot=pl.lit(1).cast(pl.Int64),
        person_id=pl.lit(None, dtype=pl.Int64),
        position=pl.when(pl.col("liable_kind") == "company").then(7).otherwise(8),
        start="from",
        end="end",
        in_slot="in_slot",
    )
    return pl.concat([persons, others], how="vertical_relaxed")


def council_tax(scene: Scene) -> FRAMES:
    """ct_accounts, ct_liable and ct_discounts, with start and end as day numbers."""
    rng = stream(scene.seed, "council tax")
    book, known = accounts(scene)
    empty_book, empty_liable = vacant_accounts(scene, known)
    liable = pl.concat([liable_people(scene, known), empty_liable], how="vertical_relaxed").sort(
        "account_ref",
        "in_slot",
        "slot",
        maintain_order=True,
    )
    book = pl.concat([book, empty_book], how="vertical_relaxed").sort("account_ref", maintain_order=True)
    leads = liable.filter(pl.col("slot") == 1).select("account_ref").unique()
    orphans = book.join(leads, on="account_ref", how="anti", maintain_order="left")["account_ref"]
    book = book.with_columns(
        liable_kind=pl.when(pl.col("account_ref").is_in(orphans.implode()))
        .then(pl.lit("unknown"))
        .otherwise("liable_kind")
    )
    nobody = book.filter(pl.col("account_ref").is_in(orphans.implode())).select(
        "account_ref",
        slot=pl.lit(1),
        person_id=pl.lit(None, dtype=pl.Int64),
        position=pl.lit(8),
        start="start",
        end="end",
        in_slot=pl.lit(0),
    )
    liable = pl.concat([liable, nobody], how="vertical_relaxed").sort(
        "account_ref", "in_slot", "slot", maintain_order=True
    )
    book = book.with_columns(start=pl.max_horizontal("start", pl.lit(BEGAN)))
    liable = liable.with_columns(start=pl.max_horizontal("start", pl.lit(BEGAN)))
    # a party reference belongs to the slot: the next occupant gets the next number
    slots = liable.select("account_ref", "slot").unique(maintain_order=True)
    slots = slots.with_columns(base=pl.Series(distinct(rng, len(slots), 1_000_000, 9_999_999)) * 10)
    liable = liable.join(slots, on=["account_ref", "slot"], how="left", maintain_order="left").with_columns(
        party_ref=(pl.col("base") + pl.col("in_slot")).cast(pl.String)
    )
    exors = book.filter(pl.col("liable_kind") == "exors")
    probate = exors.select(
        "account_ref",
        kind=pl.lit("E"),
        code=pl.lit("F"),
        person_id=pl.lit(None, dtype=pl.Int64),
        start="start",
        end=pl.lit(OPEN).cast(pl.Int64),
        percent=pl.lit(100.0),
    )
    granted = pl.concat([discounts(scene, known), probate], how="vertical_relaxed").with_columns(
        start=pl.max_horizontal("start", pl.lit(BEGAN))
    )
    digits = pl.Series(rng.integers(0, 10, len(book))).cast(pl.String)
    return {
        "ct_accounts": book.with_columns(account_cd=digits),
        "ct_liable": liable.drop("base"),
        "ct_discounts": granted.sort("account_ref", "kind", "code", "start", maintain_order=True),
    }
