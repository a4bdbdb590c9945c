"""identity.quality.promise: what each source is called, who answers for it and how often it promised to come."""

from collections.abc import Iterable

import polars as pl

from pipelines.sources.contracts import Contract
from pipelines.warehouse import Warehouse

PROMISE = "identity.quality.promise"


def write_promises(wh: Warehouse, contracts: Iterable[Contract]) -> None:
    """One row per contract."""
    names = ("name", "title", "owner", "steward", "refresh_days")
    rows = [tuple(getattr(contract, name) for name in names) for contract in contracts]
    schema = {
        "source": pl.String,
        "title": pl.String,
        "owner": pl.String,
        "steward": pl.String,
        "refresh_days": pl.Int64,
    }
    with wh.given(pl.DataFrame(rows, schema=schema, orient="row")):
        wh.table(PROMISE, "-- one row per source with a contract\nFROM given ORDER BY source")
