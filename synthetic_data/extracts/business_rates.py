"""Business rates: accounts with their liable party, hereditaments, reliefs.

Layout: Latin-1, CRLF, dates dd/mm/yyyy, as of council tax. A person who trades alone stands in one string like a
company, with or without the name of the shop.
"""

from datetime import date

import polars as pl

from synthetic_data.address_text import LINES, address_components
from synthetic_data.corruption.names import without_accents
from synthetic_data.extracts.delivery import ExtractFile, Rendered, csv_file, truth_of, with_intake_faults
from synthetic_data.extracts.mentions import homes_written, mentions
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "business_rates"
NAME_LENGTH = 40
ACCOUNT = ["account_ref", "property_ref", "liab_kind", "liab_name", "liab_from", "liab_to", "corr_addr1",
           "corr_addr2", "corr_addr3",
           "corr_addr4", "corr_postcode", "phone", "email"]  # fmt: skip
PROPERTY = ["property_ref", *LINES, "postcode", "uprn", "description", "rateable_value"]
RELIEF = ["account_ref", "relief_code", "start_date", "end_date", "percent", "amount"]
KINDS = {"person": "S", "company": "L", "charity": "C"}
MULTIPLIER = 0.499  # small business multiplier 2025/26, pence in the pound


def _file(name: str, frame: pl.DataFrame, columns: list[str]) -> ExtractFile:
    return csv_file(name, frame, columns, encoding="latin-1", line_end="\r\n")


def _written(column: str) -> pl.Expr:
    return pl.col(column).dt.strftime("%d/%m/%Y")


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The delivery of extract_date; person key account_ref; address keys account_ref (bills) and property_ref."""
    components = address_components(world)
    rows = (
        world.rates_accounts.filter(pl.col("started") <= extract_date)
        .sort("account_ref")
        .with_columns(known_from="started", known_to=pl.lit(extract_date), row_key="account_ref")
        .with_columns(property_ref=pl.lit("N") + (pl.col("uprn") % 9_999_991 * 7_654_321 % 9_999_991).cast(pl.String))
    )
    people = mentions(world, rates, SYSTEM, "ndraccount", rows, "row_key")
    contact = homes_written(components, people["contact_uprn"], people["row_key"], rates, SYSTEM, "ndraccount")
    given = pl.concat_str("title", "forename", "middle", "surname", separator=" ", ignore_nulls=True)
    form = pl.Series(rates.draws("ndraccount:trading names", people["row_key"]).random())
    trader = pl.when(form < 0.3).then(pl.concat_str(given, pl.lit("T/A"), "trading_as", separator=" ")).otherwise(given)
    name = (
        pl.when(pl.col("kind") == "charity")
        .then(pl.lit("ESTUARY COMMUNITY TRUST"))
        .when(pl.col("person_id").is_null())
        .then("company_name")
        .otherwise(trader)
    )
    accounts = pl.concat(
        [people, contact.drop("recorded_uprn").rename({"postcode": "corr_postcode"})], how="horizontal"
    )
    accounts = accounts.with_columns(
        name.str.to_uppercase().str.slice(0, NAME_LENGTH).str.strip_chars_end().alias("liab_name"),
        liab_kind=pl.col("kind").replace_strict(KINDS),
        liab_from=_written("started"),
        liab_to=pl.lit(None, dtype=pl.String),
    ).rename({line: f"corr_{line}" for line in LINES})
    accounts = accounts.with_columns(without_accents(accounts["liab_name"]))
    places = accounts.select("property_ref", "uprn", "description", "rateable_value").sort("property_ref")
    written = homes_written(components, places["uprn"], places["property_ref"], rates, SYSTEM, "ndrproperty")
    places = pl.concat([places.rename({"uprn": "true_uprn"}), written], how="horizontal").with_columns(
        uprn="recorded_uprn", rateable_value=pl.col("rateable_value").cast(pl.Int64)
    )
    reliefs = (
        world.rates_reliefs.join(
            accounts.select("account_ref", "rateable_value"), on="account_ref", how="inner", maintain_order="left"
        )
        .sort("account_ref", "code")
        .with_columns(
            relief_code="code",
            amount=(pl.col("rateable_value") * MULTIPLIER * pl.col("percent") / 100).round(2),
            start_date=_written("start_date"),
            end_date=_written("end_date"),
            percent=pl.col("percent").round(2),
        )
    )
    accounts = with_intake_faults(accounts, "ndraccount.csv", rates)
    homes = accounts.select(address_key="account_ref", uprn="contact_uprn")
    return Rendered(
        SYSTEM,
        [
            _file("ndraccount.csv", accounts, ACCOUNT),
            _file("ndrproperty.csv", places, PROPERTY),
            _file("ndrrelief.csv", reliefs, RELIEF),
        ],
        truth_of(accounts.filter(pl.col("person_id").is_not_null()), pl.col("account_ref"), "person_id", "source_key"),
        pl.concat([homes, places.select(address_key="property_ref", uprn="true_uprn")]).drop_nulls("address_key"),
    )
