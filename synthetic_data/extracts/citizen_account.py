"""My Southend: accounts that citizens opened themselves, with contact details and how they want to be reached.

Layout: UTF-8, dates yyyy-mm-ddThh:mm:ssZ. Names as typed by their owner; the address is picked from the gazetteer.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import address_components
from synthetic_data.extracts.delivery import Rendered, csv_file, truth_of, with_intake_faults
from synthetic_data.extracts.mentions import homes_written, mentions
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "citizen_account"
DATE = "%Y-%m-%dT09:00:00Z"
ACCOUNT = ["account_id", "title", "first_name", "last_name", "date_of_birth", "email", "email_verified", "mobile",
           "uprn",
           "address_line_1", "address_line_2", "address_line_3", "postcode", "created_at", "details_updated_at",
           "status"]  # fmt: skip
PREFERENCE = ["account_id", "channel", "wanted", "set_at"]
CHANNELS = {"email": 0.86, "sms": 0.48, "post": 0.21, "newsletter": 0.17}  # share that wants it (assumed)


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The delivery of extract_date; person key and address key account_id."""
    rows = (
        world.citizen_accounts.filter(pl.col("updated") <= extract_date)
        .sort("account_id", "updated")
        .unique("account_id", keep="last", maintain_order=True)
        .with_columns(known_from="opened", known_to="updated", row_key="account_id")
    )
    people = mentions(world, rates, SYSTEM, "accounts", rows, "row_key")
    homes = homes_written(address_components(world), people["uprn"], people["row_key"], rates, SYSTEM, "accounts")
    draws = rates.draws("accounts:state", people["row_key"])
    # An account is opened with an e-mail address: a second account has another one.
    second = pl.concat_str(pl.col("surname").str.to_lowercase().str.replace_all("[^a-z]", ""), pl.lit("."),
                           pl.col("person_id").cast(pl.String), pl.lit("@example.com"))  # fmt: skip
    accounts = pl.concat([people.rename({"uprn": "true_uprn"}), homes], how="horizontal").with_columns(
        first_name="forename",
        last_name="surname",
        date_of_birth=pl.col("birth_date").dt.strftime("%Y-%m-%d"),
        email=pl.when(pl.col("turn") == 2).then(second).otherwise("email"),
        email_verified=pl.when(pl.Series(draws.random() < 0.9)).then(pl.lit("true")).otherwise(pl.lit("false")),
        mobile="phone",
        uprn="recorded_uprn",
        address_line_1="addr1",
        address_line_2="addr2",
        address_line_3=pl.concat_str("addr3", "addr4", separator=", ", ignore_nulls=True),
        created_at=pl.col("opened").dt.strftime(DATE),
        details_updated_at=pl.col("updated").dt.strftime(DATE),
        status=pl.when(pl.lit(extract_date) - pl.col("updated") > pl.duration(days=3 * 365))
        .then(pl.lit("dormant"))
        .otherwise(pl.lit("active")),
    )
    wanted = []
    for channel, share in CHANNELS.items():
        says = rates.draws(f"preferences:{channel}", accounts["account_id"])
        wanted.append(
            accounts.select(
                "account_id",
                channel=pl.lit(channel),
                wanted=pl.when(pl.Series(says.random() < share)).then(pl.lit("Y")).otherwise(pl.lit("N")),
                set_at="created_at",
            )
        )
    preferences = pl.concat(wanted).sort("account_id", "channel")
    accounts = with_intake_faults(accounts, "accounts.csv", rates)
    return Rendered(
        SYSTEM,
        [csv_file("accounts.csv", accounts, ACCOUNT), csv_file("preferences.csv", preferences, PREFERENCE)],
        truth_of(accounts, pl.col("account_id"), "person_id", "source_key"),
        truth_of(accounts, pl.col("account_id"), "true_uprn", "address_key").rename({"true_uprn": "uprn"}),
    )
