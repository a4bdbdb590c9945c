"""identity.quality.promise and .principle: who answers for each source and when it promised to come; what is asked."""

from collections.abc import Iterable

import polars as pl

from pipelines.sources.contracts import Contract
from pipelines.warehouse import Warehouse
from quality_checks.principles import Principle

PROMISE, PRINCIPLE = "identity.quality.promise", "identity.quality.principle"


def write_promises(wh: Warehouse, contracts: Iterable[Contract]) -> None:
    """One row per contract; one per principle."""
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
    asked = [(place, str(each), each.question) for place, each in enumerate(Principle, start=1)]
    with wh.given(pl.DataFrame(asked, schema=["place", "principle", "question"], orient="row")):
        wh.table(PRINCIPLE, "-- one row per principle\nFROM given ORDER BY place")
