"""Business rates: who is liable for each shop and office, a company or one person, and what is taken off."""

from datetime import date

import numpy as np
import polars as pl

from synthetic_data.administration.council_tax import LANDLORDS
from synthetic_data.administration.scene import FRAMES, Scene
from synthetic_data.timeline import OPEN, YEAR, day_number

SOLE_TRADERS, CHARITIES = 0.38, 0.05  # of hereditaments (assumed; three firms in five have no employees)
FROM_HOME = 0.65  # sole traders whose bills go to their home
EMPTY = 0.08
FIRST = day_number(date(2010, 4, 1))  # accounts began between then and sixteen years later
TRADES = ["CAFE", "HAIR", "NEWS", "STORES", "MOTORS", "FLOWERS", "KITCHEN", "NAILS", "TAILORS", "BAKERY"]
DESCRIPTIONS = {"CR": "SHOP AND PREMISES", "CO": "OFFICE AND PREMISES", "CI": "WORKSHOP AND PREMISES"}
SMALL, TAPERED = (
    12_000,
    15_000,
)  # rateable value: Non-Domestic Rating (Reliefs, Thresholds and Amendment) Regulations 2017


def business_rates(scene: Scene) -> FRAMES:
    """rates_accounts: one row an account of a hereditament; rates_reliefs: one row a relief. Days as numbers."""
    places = scene.units.filter(
        ~pl.col("is_dwelling") & pl.col("class_code").str.starts_with("C") & (pl.col("logical_status") == 1)
    ).sort("uprn")
    draws = scene.draws("hereditaments", places["uprn"])
    value = pl.Series(
        (np.exp(9.0 + 0.9 * np.sqrt(-2 * np.log1p(-draws.random())) * np.cos(6.2832 * draws.random())) / 50).round()
        * 50
    )
    roll, empty = draws.random(), draws.random() < EMPTY
    kind = np.where(roll < SOLE_TRADERS, "person", np.where(roll < SOLE_TRADERS + CHARITIES, "charity", "company"))
    began = pl.Series((FIRST + draws.random() * 16 * YEAR).astype(np.int64))
    names = np.array(LANDLORDS)[draws.below(len(LANDLORDS))]
    trade = np.array(TRADES)[draws.below(len(TRADES))]
    number = pl.Series((30_000_000 + draws.random() * 9_999_999).astype(np.int64)).cast(pl.String)
    accounts = places.select("uprn", "class_code").with_columns(
        account_ref=number,
        kind=pl.Series(np.where(empty, "company", kind)),
        value=value,
        started=began,
        company_name=pl.Series(names),
        trade=pl.Series(trade),
        is_empty=pl.Series(empty),
        home_bills=pl.Series(draws.random() < FROM_HOME),
        pick=pl.Series(draws.random()),
    )
    # The trader is somebody who lives in the borough: drawn among the adults of working age when the account began.
    people = (
        scene.residents()
        .filter(
            pl.col("role").is_in(["head", "partner"])
            & pl.col("kind").is_in(["single", "couple", "couple_children", "lone_parent"])
        )
        .filter(
            (pl.lit(scene.as_of) - pl.col("birth") > int(28 * YEAR))
            & (pl.lit(scene.as_of) - pl.col("birth") < int(72 * YEAR))
        )
        .filter(pl.col("current"))
        .select("person_id", "birth", home="lived_at", since="from")
        .unique("person_id", keep="first", maintain_order=True)
        .sort("person_id")
    )
    rank = scene.draws("sole traders", people["person_id"]).random()
    people = people[np.argsort(rank, kind="stable").tolist()].with_row_index("turn")
    sole = accounts.filter(pl.col("kind") == "person").sort("pick", "uprn").with_row_index("turn")
    sole = sole.join(people, on="turn", how="inner", maintain_order="left").with_columns(
        started=pl.max_horizontal("started", pl.col("birth") + int(20 * YEAR), "since")
    )
    others = accounts.filter(pl.col("kind") != "person")
    columns = ["account_ref", "uprn", "class_code", "kind", "value", "started", "company_name", "trade", "is_empty"]
    book = pl.concat(
        [
            sole.select(*columns, "person_id", contact=pl.when("home_bills").then("home").otherwise("uprn")),
            others.select(*columns, person_id=pl.lit(None, dtype=pl.Int64), contact=pl.col("uprn")),
        ]
    ).filter(pl.col("started") <= scene.as_of)
    book = book.unique("account_ref", keep="first", maintain_order=True).sort("account_ref")
    code = (
        pl.when(pl.col("is_empty"))
        .then(pl.lit("EMPTY"))
        .when(pl.col("kind") == "charity")
        .then(pl.lit("MAND"))
        .when((pl.col("value") <= TAPERED) & (pl.col("kind") == "person"))
        .then(pl.lit("SBRR"))
        .when((pl.col("class_code").str.starts_with("CR")) & (pl.col("value") < 50_000))
        .then(pl.lit("RHL"))
    )
    percent = (
        pl.when(pl.col("code").is_in(["EMPTY"]))
        .then(100.0)
        .when(pl.col("code") == "MAND")
        .then(80.0)
        .when(pl.col("code") == "RHL")
        .then(40.0)
        .when(pl.col("value") <= SMALL)
        .then(100.0)
        .otherwise((TAPERED - pl.col("value")) / (TAPERED - SMALL) * 100)
        .round(2)
    )
    reliefs = book.with_columns(code=code).filter(pl.col("code").is_not_null()).with_columns(percent=percent)
    return {
        "rates_accounts": book.with_columns(
            description=pl.col("class_code").str.slice(0, 2).replace_strict(DESCRIPTIONS, default="PREMISES"),
            trading_as=pl.when(pl.col("kind") == "person").then("trade"),
        ).select(
            "account_ref", "uprn", "kind", "person_id", "company_name", "trading_as", "description", "started",
            rateable_value="value", contact_uprn="contact",
        ),
        "rates_reliefs": reliefs.select("account_ref", "code", "percent", start="started", end=pl.lit(OPEN)),
    }  # fmt: skip
