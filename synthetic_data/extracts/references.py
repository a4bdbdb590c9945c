"""The property numbers that other systems gave a property, and the gazetteer's cross-reference keys to them."""

import polars as pl

from synthetic_data.rates import Rates
from synthetic_data.world import World


def property_references(world: World, rates: Rates) -> pl.DataFrame:
    """One row a property that council tax or elections list, with its references there.

    council_tax_listed, electoral_listed: whether that system has it; *_held: whether the gazetteer knows the reference,
    *_key: under which key, *_written: as the gazetteer wrote it.
    """
    billed, lived_in = world.ct_accounts["property_uprn"].unique(), world.electors["uprn"].drop_nulls().unique()
    # A property keeps its references: what the first extract that was written lists is listed in all months.
    billed = rates.settled.setdefault("properties:billed", billed)
    lived_in = rates.settled.setdefault("properties:lived in", lived_in)
    listed = (
        world.properties.sort("uprn")
        .select(
            "uprn",
            council_tax_listed=pl.col("is_dwelling") | pl.col("uprn").is_in(billed.implode()),
            electoral_listed=pl.col("is_dwelling") | pl.col("uprn").is_in(lived_in.implode()),
        )
        .filter(pl.col("council_tax_listed") | pl.col("electoral_listed"))
    )
    count = listed.height
    draws = rates.draws("property references", listed["uprn"])
    padded = pl.Series(draws.random() < rates.address("xref_padded", "llpg"))
    references = listed.with_columns(
        council_tax_ref=_scattered(10_000_000).cast(pl.String),
        electoral_ref=_scattered(30_000_000).cast(pl.String),
        council_tax_held=listed["council_tax_listed"]
        & pl.Series(draws.random() < rates.coverage("llpg", "council_tax_xref")),
        electoral_held=listed["electoral_listed"]
        & pl.Series(draws.random() < rates.coverage("llpg", "electoral_xref")),
        council_tax_key=pl.Series(xref_keys(1, count)),
        electoral_key=pl.Series(xref_keys(1 + count, count)),
    )
    return references.with_columns(
        # The gazetteer's copy of a reference is now and then padded with noughts.
        council_tax_written=pl.when(padded).then(pl.col("council_tax_ref").str.zfill(12)).otherwise("council_tax_ref"),
        electoral_written=pl.when(padded).then(pl.col("electoral_ref").str.zfill(12)).otherwise("electoral_ref"),
    )


def _scattered(first: int) -> pl.Expr:
    """A number of a property that says nothing of its UPRN; different for different UPRNs of the borough."""
    prime = 9_999_991
    return first + (pl.col("uprn") % prime * 7_654_321 + first) % prime


def xref_keys(first: int, count: int) -> list[str]:
    """Consecutive XREF_KEYs of custodian 1590."""
    return [f"1590X{number:09d}" for number in range(first, first + count)]
