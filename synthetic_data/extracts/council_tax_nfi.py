"""Council tax as the flat file of the National Fraud Initiative: one row a live account, two liable persons at most.

Layout: latin-1, CRLF, dates dd/mm/yyyy.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import LINES
from synthetic_data.extracts.council_tax import (
    BAND_D_CHARGE,
    BAND_NINTHS,
    SYSTEM,
    crlf_file,
    discounts_of,
    register_of,
)
from synthetic_data.extracts.delivery import Rendered, truth_of
from synthetic_data.rates import Rates
from synthetic_data.world import World

FLAT = ["account_reference", "uprn", "title", "surname", "forename", "middle_name", "date_of_birth", "address1",
        "address2", "address3", "address4", "postcode", "other_title", "other_surname", "other_forename",
        "other_middle_name", "other_date_of_birth", "discount_start_date", "discount_expiry_date", "discount_code",
        "disregard_code", "exemption_code", "benefit_recipient", "disabled_reduction", "band", "amount",
        "discount_amount", "billing_address1", "billing_address2", "billing_address3", "billing_address4",
        "billing_postcode"]  # fmt: skip
CODES = {"D": "discount_code", "R": "disregard_code", "E": "exemption_code"}
#: What a person is called in the flat file: own column -> that of the liable person.
PERSON = {"title": "title", "surname": "surname", "forename": "forename", "middle_name": "middle",
          "date_of_birth": "liab_dob", "person_id": "person_id"}  # fmt: skip


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The flat file of extract_date; person keys account_ref and account_ref/2, address key account/account_ref."""
    properties, accounts, liable = register_of(world, rates)
    live = accounts.filter(pl.col("end_date").is_null() | (pl.col("end_date") > extract_date)).select(
        "account_ref",
        "property_ref",
        true_uprn="property_uprn",
        **{f"billing_address{number}": pl.col(f"for_addr{number}") for number in range(1, 5)},
        billing_postcode="for_postcode",
    )
    named = _named(liable, extract_date)
    charge = pl.col("band").replace_strict(BAND_NINTHS, default=None, return_dtype=pl.Float64) / 9 * BAND_D_CHARGE
    claims = world.claims.filter(pl.col("status") == 1)["ctax_account_ref"].drop_nulls().unique()
    rows = (
        live.join(
            properties.select(
                "property_ref",
                "uprn",
                "postcode",
                "band",
                **{f"address{number}": pl.col(line) for number, line in enumerate(LINES, 1)},
            ),
            on="property_ref",
            how="left",
            maintain_order="left",
        )
        .join(named.filter(pl.col("place") == 1), on="account_ref", how="inner", maintain_order="left")
        .join(
            named.filter(pl.col("place") == 2).select(
                "account_ref", **{f"other_{name}": pl.col(name) for name in PERSON}
            ),
            on="account_ref",
            how="left",
            maintain_order="left",
        )
        .join(_off_the_bill(world, accounts, liable), on="account_ref", how="left", maintain_order="left")
        .sort("account_ref")
        .with_columns(
            account_reference="account_ref",
            amount=charge.round(2),
            disabled_reduction=pl.lit("N"),
            benefit_recipient=pl.when(pl.col("account_ref").is_in(claims.implode()))
            .then(pl.lit("Y"))
            .otherwise(pl.lit("N")),
        )
    )
    people = [
        truth_of(rows.filter(pl.col(person).is_not_null()), key, person, "source_key").rename({person: "person_id"})
        for person, key in (
            ("person_id", pl.col("account_ref")),
            ("other_person_id", pl.col("account_ref") + "/2"),
        )
    ]
    return Rendered(
        SYSTEM,
        [crlf_file("nfi_council_tax.csv", rows, FLAT)],
        pl.concat(people),
        rows.select(address_key=pl.lit("account/") + pl.col("account_ref"), uprn="true_uprn"),
    )


def _named(liable: pl.DataFrame, extract_date: date) -> pl.DataFrame:
    """The first two who are liable on the day, one row each with their place; a company stands as a surname."""
    nobody = pl.col("person_id").is_null() | (pl.col("liable_kind") == "company")
    return (
        liable.filter(pl.col("to_date").is_null() | (pl.col("to_date") > extract_date))
        .unique(["account_ref", "slot"], keep="last", maintain_order=True)
        .with_columns(place=pl.int_range(1, pl.len() + 1).over("account_ref"))
        .filter(pl.col("place") <= 2)
        .select(
            "account_ref",
            "place",
            **{name: pl.col(column) for name, column in PERSON.items() if column != "surname"},
            surname=pl.when(nobody | (pl.col("liable_kind") == "exors")).then("liab_name").otherwise("surname"),
        )
        .with_columns(
            pl.when(pl.col("person_id").is_null() | pl.col("surname").str.contains("EXOR|EXECUTOR|DECD"))
            .then(None)
            .otherwise(column)
            .alias(column)
            for column in ("title", "forename", "middle_name")
        )
    )


def _off_the_bill(world: World, accounts: pl.DataFrame, liable: pl.DataFrame) -> pl.DataFrame:
    """One row an account: what is taken off today by kind, since when, and how many pounds of all of them."""
    standing = discounts_of(world, accounts, liable).filter(
        pl.col("to_date").is_null() | (pl.col("to_date") > world.as_of)
    )
    return standing.group_by("account_ref", maintain_order=True).agg(
        discount_start_date=pl.col("start_date").first(),
        discount_expiry_date=pl.col("end_date").first(),
        discount_amount=pl.col("amount").sum().round(2),
        **{column: pl.col("code").filter(pl.col("kind") == kind).first() for kind, column in CODES.items()},
    )
