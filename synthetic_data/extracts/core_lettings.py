"""CORE: the log of new social lettings as sent to central government; ages and sexes, no name, no address.

Layout: UTF-8, the field names of the lettings log; a choice of its fields.
"""

from datetime import date

import polars as pl

from synthetic_data.extracts.delivery import Rendered, csv_file
from synthetic_data.extracts.mentions import chosen
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "core_lettings"
LOG = ["log_id", "startdate_day", "startdate_month", "startdate_year", "tenancycode", "propcode", "needstype", "la",
       "tenancy", "joint", "hhmemb", "age1", "sex1", "ecstat1", "reason", "prevten", "homeless", "net_income",
       "rent_period", "brent"]  # fmt: skip
TENANCIES = {"SEC": "4", "INT": "6", "ASY": "5", "FRE": "7", "TEM": "3"}


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The log up to extract_date. It mentions nobody by name: there is no person record and no address."""
    begun = world.lettings_log.filter(pl.col("start_date") <= extract_date).sort("tag_ref")
    draws = rates.draws("lettings log", begun["tag_ref"])
    refused = pl.Series(draws.random() < 0.03)  # R: the tenant would rather not say
    log = begun.with_columns(
        # The log numbers its own rows: nothing in it is the landlord's number in clear.
        log_id=pl.Series((10_000_000 + draws.random() * 89_999_999).astype("int64")).cast(pl.String),
        startdate_day=pl.col("start_date").dt.day(),
        startdate_month=pl.col("start_date").dt.month(),
        startdate_year=pl.col("start_date").dt.year(),
        tenancycode="tag_ref",
        propcode="prop_ref",
        needstype=pl.lit("1"),
        la=pl.lit("E06000033"),
        tenancy=pl.col("tenure").replace_strict(TENANCIES, default="3"),
        joint=pl.when(pl.col("household") - pl.col("children") > 1).then(pl.lit("1")).otherwise(pl.lit("2")),
        hhmemb="household",
        age1=pl.when(refused).then(pl.lit("R")).otherwise(pl.col("lead_age").cast(pl.String)),
        sex1="lead_sex",
        ecstat1=chosen(draws.random(), ["1", "2", "4", "5", "8", "10"], [25, 15, 12, 18, 20, 10]),
        reason=chosen(draws.random(), ["1", "4", "13", "29", "45", "18"], [2, 1, 2, 2, 2, 1]),
        prevten=chosen(draws.random(), ["3", "32", "30", "31", "13", "26"], [4, 2, 3, 2, 1, 1]),
        homeless=chosen(draws.random(), ["1", "11"], [7, 3]),
        net_income=pl.Series((120 + draws.random() * 330).round(0)).cast(pl.Int64),
        rent_period=pl.lit("1"),
        brent=pl.col("rent").round(2),
    ).unique("log_id", keep="first", maintain_order=True)
    nobody = pl.DataFrame(schema={"source_key": pl.String, "person_id": pl.Int64})
    nowhere = pl.DataFrame(schema={"address_key": pl.String, "uprn": pl.Int64})
    return Rendered(SYSTEM, [csv_file("core_lettings.csv", log.sort("log_id"), LOG)], nobody, nowhere)
