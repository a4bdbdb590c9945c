"""Council tax, Academy shape: accounts, properties, occupations, liable persons in one string, discounts.

Layout: latin-1, CRLF, dates dd/mm/yyyy. A liable person's birth date is mostly not held.
"""

from datetime import date

import numpy as np
import polars as pl

from synthetic_data.address_text import LINES, address_components, recorded_uprns, written_addresses
from synthetic_data.corruption.batches import Batches, batches_of
from synthetic_data.corruption.names import damaged_names, people_of, without_accents
from synthetic_data.corruption.numbers import damaged_birth_dates, kept
from synthetic_data.extracts.delivery import ExtractFile, Rendered, csv_file, key_of, truth_of, with_intake_faults
from synthetic_data.extracts.recovery import COUNCIL_TAX, standing
from synthetic_data.extracts.references import property_references
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "council_tax"
NAME_LENGTH = 32  # ctaccount.lead_liab_name and ctliable.liab_name are 32 characters wide in Academy
OPEN_END = "31/12/2099"
BAND_D_CHARGE = 2146.68  # Southend 2025/26, pounds a year, as the council set it
BAND_NINTHS = {"A": 6, "B": 7, "C": 8, "D": 9, "E": 11, "F": 13, "G": 15, "H": 18}

ACCOUNT = ["account_ref", "account_cd", "lead_liab_name", "lead_liab_pos", "lead_liab_title", "for_addr1", "for_addr2",
           "for_addr3", "for_addr4", "for_postcode", "paymeth_code", "person_status", "party_ref"]  # fmt: skip
PROPERTY = ["property_ref", *LINES, "postcode", "uprn", "llpg_xref_key", "band", "property_type", "wardcode",
            "annexe_ind", "deleted_ind"]  # fmt: skip
OCCUPATION = ["account_ref", "property_ref", "occupation_date", "vacation_date", "live_ind", "transit_ind"]
LIABLE = ["account_ref", "liab_pers_occ", "party_ref", "liab_pos", "liab_name", "liab_dob", "liab_from", "liab_to"]
DISCOUNT = [
    "account_ref",
    "property_ref",
    "seq",
    "kind",
    "code",
    "party_ref",
    "start_date",
    "end_date",
    "percent",
    "amount",
]
ARREARS = [
    "account_ref",
    "fin_year",
    "charge",
    "balance",
    "raised_date",
    "recovery_stage",
    "stage_date",
    "cleared_date",
]


def _written(column: str) -> pl.Expr:
    return pl.col(column).dt.strftime("%d/%m/%Y")


def _one_string(people: pl.DataFrame, batches: Batches, rates: Rates) -> pl.Series:
    """The name in one field of 32 capitals: MR JOHN A SMITH, or SMITH MR JOHN A in some batches; executors too."""
    uploads = rates.draws("ctliable:name order", pl.Series(range(batches.count), dtype=pl.Int64))
    surname_first = pl.Series(uploads.random() < float(rates.setting("batches", "surname_first")), dtype=pl.Boolean)
    order = surname_first.gather(batches.number)
    form = pl.Series(rates.draws("ctliable:executors", people["row_key"]).random())
    given = pl.concat_str("title", "forename", "middle", separator=" ", ignore_nulls=True)
    forward = pl.concat_str(given, "surname", separator=" ", ignore_nulls=True)
    backward = pl.concat_str("surname", given, separator=" ", ignore_nulls=True)
    executors = (
        pl.when(form < 0.5)
        .then(pl.concat_str(pl.lit("EXORS OF"), forward, separator=" "))
        .when(form < 0.8)
        .then(pl.concat_str(backward, pl.lit("DECD"), separator=" "))
        .otherwise(pl.concat_str(pl.lit("EXECUTORS OF"), pl.col("surname"), pl.lit("DECD"), separator=" "))
    )
    occupier = pl.when(form < 0.8).then(pl.lit("THE OCCUPIER")).otherwise(pl.lit("THE OWNER"))
    kind = pl.col("liable_kind")
    return people.select(
        pl.when(kind == "company")
        .then(pl.col("company_name").fill_null("THE LANDLORD LTD"))
        .when(pl.col("person_id").is_null())
        .then(occupier)
        .when(kind == "exors")
        .then(executors)
        .when(order)
        .then(backward)
        .otherwise(forward)
        .str.to_uppercase()
        .str.slice(0, NAME_LENGTH)
        .str.strip_chars_end()
        .alias("liab_name")
    ).to_series()


def liable_people(world: World, rates: Rates) -> pl.DataFrame:
    """One row a liable person of an account, with the name and birth date as written."""
    rows = (
        world.ct_liable.join(
            world.ct_accounts.select("account_ref", "liable_kind", "company_name"), on="account_ref", how="left"
        )
        .sort("account_ref", "slot", "from_date", "party_ref")
        .with_columns(
            known_from="from_date",
            known_to=pl.col("to_date").fill_null(world.as_of),
            row_key=key_of("account_ref", "slot", "party_ref"),
        )
    )
    people = damaged_names(people_of(rows, world.names, world.persons, rates, SYSTEM), rates, SYSTEM)
    batches = batches_of(people["row_key"], rates, "ctliable", SYSTEM)
    births = damaged_birth_dates(people, rates, SYSTEM, world.as_of)
    births = kept(
        births, rates.coverage(SYSTEM, "birth_date"), rates.draws("ctliable:birth dates held", people["row_key"])
    )
    people = people.with_columns(birth_date=births)
    people = batches.apply(people, forename="forename", surname="surname", birth_date="birth_date")
    return people.with_columns(
        liab_pers_occ="slot",
        liab_pos="position",
        liab_name=without_accents(_one_string(people, batches, rates)),
        liab_dob=_written("birth_date"),
        liab_from=_written("from_date"),
        liab_to=_written("to_date"),
    )


def properties_of(world: World, rates: Rates, references: pl.DataFrame, components: pl.DataFrame) -> pl.DataFrame:
    """One row a property that council tax lists."""
    rows = (
        references.filter("council_tax_listed")
        .join(world.properties.select("uprn", "band", "kind", "ward_code", "logical_status"), on="uprn", how="left")
        .sort("council_tax_ref")
    )
    addresses = written_addresses(components, rows["uprn"], rates, SYSTEM)
    held = pl.Series(
        rates.draws("ctproperty:xref keys", rows["uprn"]).random() < rates.coverage(SYSTEM, "llpg_xref_key")
    )
    recorded = recorded_uprns(components, rows["uprn"], rates, SYSTEM)
    rows = pl.concat([rows, addresses], how="horizontal").with_columns(
        true_uprn="uprn",
        uprn=recorded,
        property_ref="council_tax_ref",
        llpg_xref_key=pl.when(held & pl.col("council_tax_held")).then("council_tax_key"),
        property_type=pl.col("kind").replace_strict(
            {"house": "HOUSE", "flat": "FLAT", "converted_flat": "FLAT", "care_home": "HOME", "hmo": "HMO"},
            default="OTHER",
        ),
        wardcode="ward_code",
        annexe_ind=pl.lit("0"),
        deleted_ind=pl.when(pl.col("logical_status") == 8).then(pl.lit("1")).otherwise(pl.lit("0")),
    )
    batches = batches_of(rows["property_ref"], rates, "ctproperty", SYSTEM)
    return batches.apply(rows, postcode="postcode")


def accounts_of(world: World, rates: Rates, liable: pl.DataFrame, components: pl.DataFrame) -> pl.DataFrame:
    """One row an account; the lead person is the last written in slot 1."""
    lead = liable.filter(pl.col("slot") == 1).unique("account_ref", keep="last", maintain_order=True)
    accounts = world.ct_accounts.sort("account_ref").join(
        lead.select("account_ref", "party_ref", "liab_name", "liab_pos", "title"), on="account_ref", how="left",
        maintain_order="left",
    )  # fmt: skip
    forwarding = written_addresses(components, accounts["forwarding_uprn"], rates, SYSTEM)
    forwarding = forwarding.rename({line: f"for_{line}" for line in LINES} | {"postcode": "for_postcode"})
    methods = np.array(["DD1", "DD15", "CASH", "SO", "BACS"])
    method = methods[
        np.searchsorted(
            [0.62, 0.74, 0.86, 0.93], rates.draws("ctaccount:payment", accounts["account_ref"]).random(), side="right"
        )
    ]
    return pl.concat([accounts, forwarding], how="horizontal").with_columns(
        lead_liab_name=pl.col("liab_name").fill_null("THE OWNER"),
        lead_liab_pos="liab_pos",
        lead_liab_title=pl.col("title").str.to_uppercase(),
        paymeth_code=pl.Series(method),
        person_status=pl.col("liable_kind").replace_strict(
            {"person": "P", "company": "C", "exors": "D", "void": "V"}, default="U"
        ),
    )


def discounts_of(world: World, accounts: pl.DataFrame, liable: pl.DataFrame) -> pl.DataFrame:
    """One row a discount, disregard or exemption; amount in pounds a year."""
    parties = liable.filter(pl.col("person_id").is_not_null()).select("account_ref", "person_id", "party_ref")
    parties = parties.unique(["account_ref", "person_id"], keep="last", maintain_order=True)
    bands = world.properties.select(property_uprn="uprn", band="band")
    charge = pl.col("band").replace_strict(BAND_NINTHS, default=None, return_dtype=pl.Float64) / 9 * BAND_D_CHARGE
    return (
        world.ct_discounts.join(accounts.select("account_ref", "property_uprn", "property_ref"), on="account_ref")
        .join(parties, on=["account_ref", "person_id"], how="left")
        .join(bands, on="property_uprn", how="left")
        .sort("account_ref", "from_date", "kind", "code", "person_id", nulls_last=True)
        .with_columns(
            seq=pl.int_range(1, pl.len() + 1).over("account_ref"),
            start_date=_written("from_date"),
            end_date=_written("to_date"),
            amount=(charge * pl.col("percent") / 100).round(2),
        )
    )


def _arrears(world: World, accounts: pl.DataFrame, extract_date: date) -> pl.DataFrame:
    """One row an account and year in recovery; charge and balance in pounds."""
    bands = world.properties.select(property_uprn="uprn", band="band")
    charge = pl.col("band").replace_strict(BAND_NINTHS, default=9, return_dtype=pl.Float64) / 9 * BAND_D_CHARGE
    return (
        standing(world.ct_arrears, COUNCIL_TAX, extract_date)
        .join(accounts.select("account_ref", "property_uprn"), on="account_ref", how="inner")
        .join(bands, on="property_uprn", how="left")
        .sort("account_ref", "fin_year")
        .with_columns(
            charge=(charge * pl.col("part")).round(2),
            balance=(charge * pl.col("part") * pl.col("unpaid") * pl.col("left")).round(2),
            recovery_stage="stage",
            **{name: _written(name) for name in ("raised_date", "stage_date", "cleared_date")},
        )
    )


def crlf_file(name: str, frame: pl.DataFrame, columns: list[str]) -> ExtractFile:
    return csv_file(name, frame, columns, encoding="latin-1", line_end="\r\n")


def register_of(world: World, rates: Rates) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The council tax register, whatever the layout: properties, accounts with their property_ref, liable people."""
    components, references = address_components(world), property_references(world, rates)
    liable = liable_people(world, rates)
    properties = properties_of(world, rates, references, components)
    accounts = accounts_of(world, rates, liable, components).join(
        references.select(property_uprn="uprn", property_ref="council_tax_ref"), on="property_uprn", how="left",
        maintain_order="left",
    )  # fmt: skip
    return properties, accounts, liable


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The council tax delivery of extract_date.

    Person key account_ref/liab_pers_occ/party_ref, address key property_ref.
    """
    properties, accounts, liable = register_of(world, rates)
    is_live = pl.col("end_date").is_null() | (pl.col("end_date") > extract_date)
    occupations = accounts.with_columns(
        occupation_date=_written("start_date"),
        vacation_date=_written("end_date").fill_null(OPEN_END),
        live_ind=pl.when(is_live).then(pl.lit("1")).otherwise(pl.lit("0")),
        transit_ind=pl.lit("0"),
    )
    liable = with_intake_faults(liable, "ctliable.csv", rates)
    records = truth_of(
        liable.filter(pl.col("person_id").is_not_null()),
        key_of("account_ref", "liab_pers_occ", "party_ref"), "person_id", "source_key",
    )  # fmt: skip
    return Rendered(
        SYSTEM,
        [
            crlf_file("ctaccount.csv", accounts, ACCOUNT),
            crlf_file("ctproperty.csv", properties, PROPERTY),
            crlf_file("ctoccupation.csv", occupations, OCCUPATION),
            crlf_file("ctliable.csv", liable, LIABLE),
            crlf_file("ctdiscount.csv", discounts_of(world, accounts, liable), DISCOUNT),
            crlf_file("ctarrears.csv", _arrears(world, accounts, extract_date), ARREARS),
        ],
        records,
        properties.select(address_key="property_ref", uprn="true_uprn"),
    )
