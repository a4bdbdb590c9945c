"""Housing benefit and council tax reduction, Academy shape: claims, households, members; the NINO bridge.

Layout: UTF-8, dates yyyy-mm-dd 00:00:00.000.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import LINES, address_components, recorded_uprns, written_addresses
from synthetic_data.corruption.batches import batches_of
from synthetic_data.corruption.names import damaged_names, people_of
from synthetic_data.corruption.numbers import damaged_birth_dates, damaged_ninos, damaged_sexes, kept
from synthetic_data.extracts import recovery
from synthetic_data.extracts.delivery import Rendered, csv_file, key_of, truth_of, with_intake_faults
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "benefits"
OPEN_END = date(2099, 12, 31)
DATE = "%Y-%m-%d 00:00:00.000"

SPECIAL = {"gender_recognition": "G", "refuge": "R", "restricted": "C", "staff": "S"}
CLAIM = ["claim_id", "nino", "status_ind", "application_date", "cancel_date", "claim_type", "weekly_award",
         "ctax_account_ref"]  # fmt: skip
HOUSEHOLD = ["claim_id", "house_id", "from_date", "to_date", *LINES, "post_code", "uprn"]
MEMBER = ["claim_id", "house_id", "member_id", "person_ref", "title", "forename", "surname", "birth_date", "gender",
          "nino", "student_ind", "carer_ind", "deceased_date", "severely_mentally_impaired_ind", "spd_ignore_date",
          "relationship", "unique_pupil_num", "special_ind"]  # fmt: skip
OVERPAYMENT = ["overpayment_ref", "claim_id", "paid_from", "paid_to", "cause", "amount", "outstanding", "recovery_code",
               "recovery_date", "created_date", "cleared_date"]  # fmt: skip


def _flag(column: str) -> pl.Expr:
    return pl.when(pl.col(column).fill_null(False)).then(pl.lit("1")).otherwise(pl.lit("0"))


def _members(world: World, rates: Rates, extract_date: date) -> pl.DataFrame:
    """One row a claim, address and member."""
    rows = (
        world.claim_members.join(
            world.claim_houses.select("claim_id", "house_id", known_from="from_date", known_to="to_date"),
            on=["claim_id", "house_id"],
        )
        .join(world.persons.select("person_id", "death_date", "is_student", "smi", "carer"), on="person_id", how="left")
        .join(world.protected, on="person_id", how="left")
        # The number is the one that the child's school knows.
        .join(
            world.pupils.select("person_id", "upn").unique("person_id", keep="last", maintain_order=True),
            on="person_id",
            how="left",
        )
        .sort("claim_id", "house_id", "member_id")
        .with_columns(pl.col("known_to").fill_null(world.as_of), row_key=key_of("claim_id", "person_ref"))
    )
    people = damaged_names(people_of(rows, world.names, world.persons, rates, SYSTEM), rates, SYSTEM)
    told = pl.Series(rates.draws("hbmember:deaths told", people["row_key"]).random() < 0.6)
    pupils = people.select(pl.when(pl.col("relationship") == "D").then("upn")).to_series()
    people = people.with_columns(
        unique_pupil_num=kept(pupils, 0.6, rates.draws("hbmember:pupil numbers", people["row_key"])),
        nino=damaged_ninos(people, rates, SYSTEM, rates.coverage(SYSTEM, "nino"), people["claim_id"]),
        sex=damaged_sexes(people, rates, SYSTEM),
        birth_date=damaged_birth_dates(people, rates, SYSTEM, world.as_of),
        deceased_date=pl.when(told & (pl.col("death_date") <= extract_date)).then("death_date"),
    )
    batches = batches_of(people["row_key"], rates, "hbmember", SYSTEM)
    people = batches.apply(people, forename="forename", surname="surname", birth_date="birth_date")
    return people.with_columns(
        # Under sixteen nobody has a National Insurance number.
        nino=pl.when(pl.col("relationship") == "D").then(None).otherwise("nino"),
        birth_date=pl.col("birth_date").dt.strftime(DATE),
        deceased_date=pl.col("deceased_date").dt.strftime(DATE),
        spd_ignore_date=pl.lit(None, dtype=pl.String),
        gender=pl.col("sex").replace_strict({"M": "1", "F": "2"}, default=None),
        student_ind=_flag("is_student"),
        carer_ind=_flag("carer"),
        severely_mentally_impaired_ind=_flag("smi"),
        special_ind=pl.col("flag").replace_strict(SPECIAL, default=None, return_dtype=pl.String),
    )


def _overpayments(world: World, extract_date: date) -> pl.DataFrame:
    """One row a period in which too much was paid; amounts in pounds."""
    days = {"paid_from": "paid_from", "paid_to": "paid_to", "recovery_date": "stage_date", "created_date":
    "raised_date",
            "cleared_date": "cleared_date"}  # fmt: skip
    return (
        recovery.standing(world.overpayments, recovery.OVERPAYMENT, extract_date)
        .sort("overpayment_ref")
        .with_columns(
            outstanding=(pl.col("amount") * pl.col("left")).round(2),
            # While the claim lives, the debt is taken from the award.
            recovery_code=pl.when("from_award").then(pl.lit("DED")).otherwise("stage"),
            stage_date=pl.when("from_award").then("raised_date").otherwise("stage_date"),
        )
        .with_columns(
            cause=pl.col("cause").str.to_uppercase(),
            **{name: pl.col(column).dt.strftime(DATE) for name, column in days.items()},
        )
    )


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The benefits delivery of extract_date; person key claim_id/person_ref, address key claim_id/house_id."""
    components = address_components(world)
    members = _members(world, rates, extract_date)
    houses = world.claim_houses.sort("claim_id", "house_id")
    keys = houses.select(key_of("claim_id", "house_id")).to_series()
    addresses = written_addresses(components, houses["uprn"], rates, SYSTEM, keys).rename({"postcode": "post_code"})
    recorded = recorded_uprns(components, houses["uprn"], rates, SYSTEM, keys)
    houses = pl.concat([houses.rename({"uprn": "true_uprn"}), addresses], how="horizontal").with_columns(
        uprn=recorded,
        from_date=pl.col("from_date").dt.strftime(DATE),
        to_date=pl.col("to_date").fill_null(OPEN_END).dt.strftime(DATE),
    )
    houses = batches_of(keys, rates, "hbhousehold", SYSTEM).apply(houses, postcode="post_code")
    claimants = members.filter(pl.col("relationship") == "C").unique("claim_id", keep="last", maintain_order=True)
    claims = (
        world.claims.sort("claim_id")
        .join(claimants.select("claim_id", "nino"), on="claim_id", how="left", maintain_order="left")
        .with_columns(
            status_ind="status",
            application_date=pl.col("application_date").dt.strftime(DATE),
            cancel_date=pl.col("cancel_date").dt.strftime(DATE),
            weekly_award=pl.col("weekly_award").round(2),
            ctax_account_ref=kept(
                world.claims.sort("claim_id")["ctax_account_ref"],
                rates.coverage(SYSTEM, "ctax_account_ref"),
                rates.draws("hbclaim:account references", world.claims.sort("claim_id")["claim_id"]),
            ),
        )
    )
    members = with_intake_faults(members.cast({"person_ref": pl.String}), "hbmember.csv", rates)
    return Rendered(
        SYSTEM,
        [
            csv_file("hbclaim.csv", claims, CLAIM),
            csv_file("hbhousehold.csv", houses, HOUSEHOLD),
            csv_file("hbmember.csv", members, MEMBER),
            csv_file("hboverpayment.csv", _overpayments(world, extract_date), OVERPAYMENT),
        ],
        truth_of(members, key_of("claim_id", "person_ref"), "person_id", "source_key"),
        truth_of(houses, key_of("claim_id", "house_id"), "true_uprn", "address_key").rename({"true_uprn": "uprn"}),
    )
