"""The property numbers that other systems gave a property, and the gazetteer's cross-reference keys to them."""

import numpy as np
import polars as pl

from synthetic_data.rates import Rates
from synthetic_data.world import World


def property_references(world: World, rates: Rates) -> pl.DataFrame:
    """One row a dwelling: its council tax and electoral references, and how the gazetteer holds each."""
    dwellings = world.properties.filter(pl.col("is_dwelling")).sort("uprn").select("uprn")
    count = dwellings.height
    rng = rates.stream("property references")
    padded = pl.Series(rng.random(count) < rates.address("xref_padded", "llpg"))
    references = dwellings.with_columns(
        council_tax_ref=pl.Series(10_000_000 + 7 * rng.permutation(count)).cast(pl.String),
        electoral_ref=pl.Series(300_000 + 3 * rng.permutation(count)).cast(pl.String),
        council_tax_held=pl.Series(rng.random(count) < rates.coverage("llpg", "council_tax_xref")),
        electoral_held=pl.Series(rng.random(count) < rates.coverage("llpg", "electoral_xref")),
        council_tax_key=pl.Series(xref_keys(1, count)),
        electoral_key=pl.Series(xref_keys(1 + count, count)),
    )
    return references.with_columns(
        # The gazetteer's copy of a reference is now and then padded with noughts.
        council_tax_written=pl.when(padded).then(pl.col("council_tax_ref").str.zfill(12)).otherwise("council_tax_ref"),
        electoral_written=pl.when(padded).then(pl.col("electoral_ref").str.zfill(9)).otherwise("electoral_ref"),
    )


def xref_keys(first: int, count: int) -> list[str]:
    """Consecutive XREF_KEYs of custodian 1590."""
    return [f"1590X{number:09d}" for number in np.arange(first, first + count)]
