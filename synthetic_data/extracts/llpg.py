"""The gazetteer as AddressBase Premium or DTF 7.3 (one mixed file without header), ONSUD and LSOA beside it.

Layout: UTF-8, text quoted, ISO dates, records in the order of their type (OS AddressBase Premium).
"""

from collections.abc import Callable
from datetime import date

import polars as pl

from synthetic_data.extracts.abp_records import CUSTODIAN, CUSTODIAN_NAME, RECORDS, record_lines
from synthetic_data.extracts.abp_tables import (
    blpu_records,
    classifications,
    cross_references,
    delivery_points,
    land_property_identifiers,
    organisations,
    street_descriptors,
    streets,
    successors,
)
from synthetic_data.extracts.delivery import ExtractFile, Rendered, csv_file
from synthetic_data.extracts.dtf_records import RECORDS as DTF
from synthetic_data.extracts.dtf_records import as_dtf
from synthetic_data.extracts.gazetteer_changes import Tables, as_entered, changes
from synthetic_data.rates import Rates
from synthetic_data.world import World

SYSTEM = "llpg"
LOCAL_AUTHORITY = "E06000033"
TIME = "06:00:00"
METADATA = 29
ONSUD = ["UPRN", "GRIDGB1E", "GRIDGB1N", "PCDS", "LAD25CD", "WD25CD", "lsoa21cd", "msoa21cd"]
LSOA = ["lsoa21cd", "lsoa21nm", "WD25CD", "WD25NM", "imd25_rank", "imd25_score", "imd25_decile"]


def render(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The gazetteer delivery of extract_date; it holds no persons and its addresses are their own truth.

    In the months of a borough the first delivery is whole, the later ones show changes only.
    """
    return _delivered(world, rates, extract_date, "addressbase_premium.csv", "2.0", RECORDS, lambda tables: tables)


def render_dtf(world: World, rates: Rates, extract_date: date) -> Rendered:
    """The same as the council's own gazetteer hands it over, in DTF 7.3."""
    wards = world.properties.select(UPRN="uprn", WARD_CODE="ward_code")
    return _delivered(world, rates, extract_date, "llpg_dtf.csv", "7.3", DTF, lambda tables: as_dtf(tables, wards))


def _tables(world: World, rates: Rates) -> Tables:
    """Every record of the gazetteer, by record type."""
    delivery = delivery_points(world, rates)
    return {
        11: streets(world),
        15: street_descriptors(world),
        21: blpu_records(world, delivery),
        23: cross_references(world, rates),
        24: land_property_identifiers(world, rates),
        28: delivery,
        30: successors(world),
        31: organisations(world),
        32: classifications(world),
    }


def _delivered(
    world: World,
    rates: Rates,
    extract_date: date,
    name: str,
    version: str,
    records: dict[int, list[str]],
    layout: Callable[[Tables], Tables],
) -> Rendered:
    tables, month = _tables(world, rates), rates.month
    changes_only = month is not None and month.before is not None
    if month is None:
        tables = layout(tables)
    else:
        stood = [
            layout(as_entered(tables, world, rates, (day - month.opening).days))
            for day in (month.day, month.before)
            if day
        ]
        tables = changes(*stood) if changes_only else stood[0]
    file = _mixed_file(tables, extract_date, name, version, records, "C" if changes_only else "F")
    return Rendered(
        SYSTEM,
        [file] if changes_only else [file, _onsud(world), _lsoa(world)],
        pl.DataFrame(schema={"source_key": pl.String, "person_id": pl.Int64}),
        pl.DataFrame(schema={"address_key": pl.String, "uprn": pl.Int64}),
        changes_only,
    )


def _mixed_file(
    tables: Tables, extract_date: date, name: str, version: str, records: dict[int, list[str]], supply: str
) -> ExtractFile:
    """Header, records in the order of their type, metadata, trailer; rows count every line."""
    day = extract_date.isoformat()
    lines: list[str] = []
    metadata = (
        f'29,"{CUSTODIAN_NAME} LLPG","Residential and commercial","Synthetic","","{CUSTODIAN_NAME}","D",'
        f'"{CUSTODIAN_NAME}",999000000000,{CUSTODIAN},"British National Grid","Metres",{day},'
        f'"AddressBase Premium Classification Scheme",{day},"ENG","UTF-8"'
    )
    order = 1
    before = [record for record in tables if record < METADATA]
    for record in [*before, METADATA, *(record for record in tables if record > METADATA)]:
        if record == METADATA:
            lines.append(metadata)
            continue
        lines.extend(record_lines(record, records[record], tables[record], order, extract_date))
        order += tables[record].height
    header = f'10,"{CUSTODIAN_NAME}",{CUSTODIAN},{day},1,{day},{TIME},"{version}","{supply}"'
    trailer = f"99,0,{len(lines) - 1},{day},{TIME}"  # the metadata record is not counted
    content = "\n".join([header, *lines, trailer]) + "\n"
    return ExtractFile(name, content.encode("utf-8"), len(lines) + 2)


def _onsud(world: World) -> ExtractFile:
    """One row a live UPRN with its small areas."""
    rows = (
        world.properties.filter(pl.col("logical_status") == 1)
        .sort("uprn")
        .join(world.areas.select("lsoa", "msoa"), on="lsoa", how="left", maintain_order="left")
        .select(
            UPRN="uprn",
            GRIDGB1E=pl.col("x").round(0).cast(pl.Int64),
            GRIDGB1N=pl.col("y").round(0).cast(pl.Int64),
            PCDS="postcode",
            LAD25CD=pl.lit(LOCAL_AUTHORITY),
            WD25CD="ward_code",
            lsoa21cd="lsoa",
            msoa21cd="msoa",
        )
    )
    return csv_file("onsud.csv", rows, ONSUD)


def _lsoa(world: World) -> ExtractFile:
    """One row a small area with its ward and deprivation."""
    rows = world.areas.sort("lsoa").select(
        lsoa21cd="lsoa",
        lsoa21nm="lsoa_name",
        WD25CD="ward_code",
        WD25NM="ward_name",
        imd25_rank="imd_rank",
        imd25_score=pl.col("imd_score").round(3),
        imd25_decile="imd_decile",
    )
    return csv_file("lsoa.csv", rows, LSOA)
