"""The world's streets and properties as tables of AddressBase Premium records, one function a record type."""

import polars as pl

from synthetic_data.address_text import address_components
from synthetic_data.extracts.abp_records import CUSTODIAN, keys
from synthetic_data.extracts.references import property_references, xref_keys
from synthetic_data.rates import Rates
from synthetic_data.world import World

_NON_POSTAL = ["shell", "garage"]
_FLOORS = {"1": "GROUND FLOOR FLAT", "2": "FIRST FLOOR FLAT", "A": "GROUND FLOOR FLAT", "B": "FIRST FLOOR FLAT"}
_AREA = "SOUTHEND-ON-SEA"


def _dated(properties: pl.DataFrame) -> pl.DataFrame:
    return properties.select(UPRN="uprn", START_DATE="start_date", END_DATE="end_date", ENTRY_DATE="start_date")


def streets(world: World) -> pl.DataFrame:
    """One row a street; its ends are the outermost of its properties."""
    ends = world.properties.group_by("usrn").agg(
        STREET_START_X=pl.col("x").min().round(2), STREET_START_Y=pl.col("y").min().round(2),
        STREET_START_LAT=pl.col("latitude").min().round(7), STREET_START_LONG=pl.col("longitude").min().round(7),
        STREET_END_X=pl.col("x").max().round(2), STREET_END_Y=pl.col("y").max().round(2),
        STREET_END_LAT=pl.col("latitude").max().round(7), STREET_END_LONG=pl.col("longitude").max().round(7),
        since=pl.col("start_date").min(),
    )  # fmt: skip
    return (
        world.streets.select("usrn")
        .join(ends, on="usrn", how="left")
        .sort("usrn")
        .with_columns(
            USRN="usrn", RECORD_TYPE=pl.lit(1), SWA_ORG_REF_NAMING=pl.lit(CUSTODIAN), STATE=pl.lit(2),
            STATE_DATE="since",
            STREET_SURFACE=pl.lit(1), STREET_CLASSIFICATION=pl.lit(8), VERSION=pl.lit(0), STREET_START_DATE="since",
            RECORD_ENTRY_DATE="since", STREET_TOLERANCE=pl.lit(10),
        )
    )  # fmt: skip


def street_descriptors(world: World) -> pl.DataFrame:
    """One row a street name, in English."""
    since = world.properties.group_by("usrn").agg(since=pl.col("start_date").min())
    return (
        world.streets.join(since, on="usrn", how="left")
        .sort("usrn")
        .with_columns(
            USRN="usrn", STREET_DESCRIPTION="street", LOCALITY="locality", TOWN_NAME="town",
            ADMINISTRATIVE_AREA=pl.lit(_AREA),
            LANGUAGE=pl.lit("ENG"), START_DATE="since", ENTRY_DATE="since",
        )
    )  # fmt: skip


def delivery_points(world: World, rates: Rates) -> pl.DataFrame:
    """One row a delivery point of the postal file: most live postal properties that are no parent of others."""
    parents = world.properties.select(uprn="parent_uprn").drop_nulls().unique()
    live = (
        world.properties.filter((pl.col("logical_status") == 1) & ~pl.col("kind").is_in(_NON_POSTAL))
        .join(parents, on="uprn", how="anti")
        .sort("uprn")
    )
    listed = rates.draws("llpg:delivery points", live["uprn"]).random() < rates.coverage("llpg", "delivery_point")
    rows = live.filter(pl.Series(listed)).join(
        address_components(world).select("uprn", "unit", "number", "street", "locality", "town"), on="uprn", how="left",
        maintain_order="left",
    )  # fmt: skip
    # The postal file puts a number with a letter into the building name.
    lettered = pl.col("pao_suffix").fill_null("") != ""
    suffixes = [f"{n}{letter}" for n in range(1, 10) for letter in "ABDEFGHJLNPQRSTUWXYZ"]
    return rows.select(
        UPRN="uprn",
        UDPRN=pl.int_range(50_000_001, 50_000_001 + pl.len()),
        ORGANISATION_NAME="organisation",
        SUB_BUILDING_NAME="unit",
        BUILDING_NAME=pl.when(lettered)
        .then(pl.concat_str("pao_text", "number", separator=" ", ignore_nulls=True))
        .otherwise("pao_text"),
        BUILDING_NUMBER=pl.when(~lettered).then("pao_number"),
        THOROUGHFARE="street",
        DEPENDENT_LOCALITY="locality",
        POST_TOWN="town",
        POSTCODE="postcode",
        POSTCODE_TYPE=pl.lit("S"),
        DELIVERY_POINT_SUFFIX=pl.Series(suffixes).gather(pl.int_range(0, rows.height, eager=True) % len(suffixes)),
        PROCESS_DATE="start_date",
        START_DATE="start_date",
        ENTRY_DATE="start_date",
    )


def blpu_records(world: World, delivery: pl.DataFrame) -> pl.DataFrame:
    """One row a UPRN."""
    children = world.properties.filter(pl.col("logical_status") == 1).group_by("parent_uprn").agg(children=pl.len())
    status = pl.col("logical_status")
    return (
        world.properties.sort("uprn")
        .join(children.drop_nulls(), left_on="uprn", right_on="parent_uprn", how="left", maintain_order="left")
        .join(delivery.select(uprn="UPRN", listed=pl.lit(True)), on="uprn", how="left", maintain_order="left")
        .select(
            UPRN="uprn",
            LOGICAL_STATUS=status,
            BLPU_STATE=pl.when(status == 8).then(4).otherwise(2),
            BLPU_STATE_DATE=pl.coalesce("end_date", "start_date"),
            PARENT_UPRN="parent_uprn",
            X_COORDINATE=pl.col("x").round(2),
            Y_COORDINATE=pl.col("y").round(2),
            LATITUDE=pl.col("latitude").round(7),
            LONGITUDE=pl.col("longitude").round(7),
            RPC=pl.lit(1),
            LOCAL_CUSTODIAN_CODE=pl.lit(CUSTODIAN),
            COUNTRY=pl.lit("E"),
            START_DATE="start_date",
            END_DATE="end_date",
            ENTRY_DATE="start_date",
            ADDRESSBASE_POSTAL=pl.when("listed")
            .then(pl.lit("D"))
            .when(pl.col("kind").is_in(_NON_POSTAL))
            .then(pl.lit("N"))
            .when(pl.col("parent_uprn").is_not_null())
            .then(pl.lit("C"))
            .otherwise(pl.lit("L")),
            POSTCODE_LOCATOR="postcode",
            MULTI_OCC_COUNT=pl.col("children").fill_null(0),
        )
    )


def cross_references(world: World, rates: Rates) -> pl.DataFrame:
    """One row a number that another system gave a UPRN: council tax, electoral, and the Valuation Office's."""
    references = property_references(world, rates)
    count = references.height
    valued = pl.Series(
        rates.draws("llpg:valuation references", references["uprn"]).random() < rates.coverage("llpg", "voa_xref")
    )
    valuation = references.with_columns(
        XREF_KEY=pl.Series(xref_keys(1 + 2 * count, count)),
        CROSS_REFERENCE=pl.format("999{}", pl.col("council_tax_ref")),
        SOURCE=pl.lit("7666VC"),
    ).filter(valued & pl.col("council_tax_listed"))
    named = [
        references.filter(f"{system}_held").with_columns(
            XREF_KEY=f"{system}_key", CROSS_REFERENCE=f"{system}_written", SOURCE=pl.lit(source)
        )
        for system, source in (("council_tax", f"{CUSTODIAN}CT"), ("electoral", f"{CUSTODIAN}ER"))
    ]
    columns = ["uprn", "XREF_KEY", "CROSS_REFERENCE", "SOURCE"]
    rows = pl.concat([table.select(columns) for table in (*named, valuation)]).sort("uprn", "XREF_KEY")
    return rows.join(
        _dated(world.properties), left_on="uprn", right_on="UPRN", how="left", maintain_order="left"
    ).with_columns(UPRN="uprn", VERSION=pl.lit(1))


def land_property_identifiers(world: World, rates: Rates) -> pl.DataFrame:
    """One row an address of a UPRN: its own (status 1 or 8) and, for converted flats, the floor (status 3)."""
    own = world.properties.sort("uprn").with_columns(lpi_status="logical_status", place=pl.lit(0))
    flats = own.filter((pl.col("kind") == "converted_flat") & (pl.col("logical_status") == 1))
    unit = pl.coalesce(pl.col("sao_number").cast(pl.String), pl.col("sao_text").str.extract(r"^FLAT (\d+|[A-Z])$"))
    floors = flats.with_columns(
        sao_text=unit.replace_strict(_FLOORS, default=None),
        sao_number=pl.lit(None, dtype=pl.Int64),
        sao_suffix=pl.lit(None, dtype=pl.String),
        lpi_status=pl.lit(3, dtype=pl.Int64),
        place=pl.lit(1),
    )
    known = rates.draws("llpg:alternatives", floors["uprn"]).random() < rates.address("alternative_lpi", "llpg")
    rows = pl.concat([own, floors.filter(pl.Series(known) & pl.col("sao_text").is_not_null())]).sort("uprn", "place")
    return rows.select(
        UPRN="uprn",
        LPI_KEY=keys("L", rows.height),
        LANGUAGE=pl.lit("ENG"),
        LOGICAL_STATUS="lpi_status",
        START_DATE="start_date",
        END_DATE="end_date",
        ENTRY_DATE="start_date",
        SAO_START_NUMBER="sao_number",
        SAO_START_SUFFIX="sao_suffix",
        SAO_TEXT="sao_text",
        PAO_START_NUMBER="pao_number",
        PAO_START_SUFFIX="pao_suffix",
        PAO_TEXT="pao_text",
        USRN="usrn",
        USRN_MATCH_INDICATOR=pl.lit("1"),
        OFFICIAL_FLAG=pl.when(pl.col("lpi_status") == 3).then(pl.lit("N")).otherwise(pl.lit("Y")),
    )


def successors(world: World) -> pl.DataFrame:
    """One row a retired UPRN and the one that took its place."""
    rows = world.properties.filter(pl.col("successor_uprn").is_not_null()).sort("uprn")
    return _dated(rows).with_columns(SUCC_KEY=keys("S", rows.height), SUCCESSOR=rows["successor_uprn"])


def organisations(world: World) -> pl.DataFrame:
    """One row a UPRN that an organisation occupies."""
    rows = world.properties.filter(pl.col("organisation").is_not_null()).sort("uprn")
    return _dated(rows).with_columns(ORG_KEY=keys("O", rows.height), ORGANISATION=rows["organisation"])


def classifications(world: World) -> pl.DataFrame:
    """One row a UPRN and class."""
    rows = world.properties.sort("uprn")
    return _dated(rows).with_columns(
        CLASS_KEY=keys("C", rows.height),
        CLASSIFICATION_CODE=rows["class_code"],
        CLASS_SCHEME=pl.lit("AddressBase Premium Classification Scheme"),
        SCHEME_VERSION=pl.lit("1.0"),
    )
