"""The property numbers that other systems gave a property, and the gazetteer's cross-reference keys to them."""

import numpy as np
import polars as pl

from synthetic_data.rates import Rates
from synthetic_data.world import World


def property_references(world: World, rates: Rates) -> pl.DataFrame:
    """One row a dwelling: its council tax and electoral references, and how the gazetteer holds each."""
    dwellings = world.properties.filter(pl.col("is_dwelling")).sort("uprn").select("uprn")
    count = dwellings.height
    draws = rates.draws("property references", dwellings["uprn"])
    padded = pl.Series(draws.random() < rates.address("xref_padded", "llpg"))
    references = dwellings.with_columns(
        council_tax_ref=_scattered(10_000_000).cast(pl.String),
        electoral_ref=_scattered(30_000_000).cast(pl.String),
        council_tax_held=pl.Series(draws.random() < rates.coverage("llpg", "council_tax_xref")),
        electoral_held=pl.Series(draws.random() < rates.coverage("llpg", "electoral_xref")),
        council_tax_key=pl.Series(xref_keys(1, count)),
        electoral_key=pl.Series(xref_keys(1 + count, count)),
    )
    return references.with_columns(
        # The gazetteer's copy of a reference is now and then padded with noughts.
        council_tax_written=pl.when(padded).then(pl.col("council_tax_ref").str.zfill(12)).otherwise("council_tax_ref"),
        electoral_written=pl.when(padded).then(pl.col("electoral_ref").str.zfill(9)).otherwise("electoral_ref"),
    )


def _scattered(first: int) -> pl.Expr:
    """A number of a property that says nothing of its UPRN; different for different UPRNs of the borough."""
    prime = 9_999_991
    return first + (pl.col("uprn") % prime * 7_654_321 + first) % prime


def xref_keys(first: int, count: int) -> list[str]:
    """Consecutive XREF_KEYs of custodian 1590."""
    return [f"1590X{number:09d}" for number in np.arange(first, first + count)]
