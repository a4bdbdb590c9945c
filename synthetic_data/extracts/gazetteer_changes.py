"""What a gazetteer enters in the months of a borough, and a supply of changes only (months.yaml)."""

import numpy as np
import polars as pl

from synthetic_data.incidents import plan
from synthetic_data.rates import Rates
from synthetic_data.world import World

#: What names a row of each record type.
KEYS = {11: ["USRN"], 15: ["USRN", "LANGUAGE"], 21: ["UPRN"], 23: ["XREF_KEY"], 24: ["LPI_KEY"], 28: ["UDPRN"],
        30: ["SUCC_KEY"], 31: ["ORG_KEY"], 32: ["CLASS_KEY"]}  # fmt: skip
Tables = dict[int, pl.DataFrame]


def as_entered(tables: Tables, world: World, rates: Rates, days: int) -> Tables:
    """The tables as they stood so many days after the first delivery: some rows are entered late."""
    rules = plan()["gazetteer"]

    def late(what: str, keys: pl.Series) -> pl.Series:
        """Which of the keys are still to be entered."""
        draws = rates.draws(f"llpg:entered late:{what}", keys)
        chosen, wait = draws.random() < float(rules["late"][what]), -np.log1p(-draws.random()) * float(rules["days"])
        return keys.filter(pl.Series(chosen & (wait > days)))

    garages = world.properties.filter(pl.col("kind") == "garage").sort("uprn")["uprn"]
    retired = tables[30]["UPRN"].unique().sort()
    unbuilt, standing = late("garage", garages), late("retirement", retired)
    references = late("reference", tables[23]["XREF_KEY"].sort())
    waiting = late("alternative", tables[24].filter(pl.col("LOGICAL_STATUS") == 3)["LPI_KEY"].sort())
    found = {
        record: table.filter(~pl.col("UPRN").is_in(unbuilt.implode())) if "UPRN" in table.columns else table
        for record, table in tables.items()
    }
    still = pl.col("UPRN").is_in(standing.implode())
    found[21] = found[21].with_columns(
        LOGICAL_STATUS=pl.when(still).then(1).otherwise("LOGICAL_STATUS"),
        BLPU_STATE=pl.when(still).then(2).otherwise("BLPU_STATE"),
        BLPU_STATE_DATE=pl.when(still).then("START_DATE").otherwise("BLPU_STATE_DATE"),
    )
    for record in (21, 24, 32):
        found[record] = found[record].with_columns(END_DATE=pl.when(still).then(None).otherwise("END_DATE"))
    found[24] = found[24].with_columns(LOGICAL_STATUS=pl.when(still).then(1).otherwise("LOGICAL_STATUS"))
    found[30] = found[30].filter(~still)
    found[23] = found[23].filter(~pl.col("XREF_KEY").is_in(references.implode()))
    found[24] = found[24].filter(~pl.col("LPI_KEY").is_in(waiting.implode()))
    return found


def changes(now: Tables, before: Tables) -> Tables:
    """The rows that differ, with CHANGE_TYPE: I new, U updated, D gone (as it last stood)."""
    return {record: _changed(table, before[record], KEYS[record]) for record, table in now.items()}


def _changed(now: pl.DataFrame, before: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    new = now.join(before, on=key, how="anti", maintain_order="left")
    gone = before.join(now, on=key, how="anti", maintain_order="left")
    known = now.join(before.select(key), on=key, how="semi", maintain_order="left")
    other = known.join(before, on=now.columns, how="anti", nulls_equal=True, maintain_order="left")
    return pl.concat(
        [
            rows.with_columns(CHANGE_TYPE=pl.lit(kind)).select(*now.columns, "CHANGE_TYPE")
            for rows, kind in ((new, "I"), (other, "U"), (gone, "D"))
        ]
    )
