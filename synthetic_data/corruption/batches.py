"""Rows reach a system in batches, one clerk's day or one upload; now and then a whole batch is wrong in one way."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from synthetic_data.corruption.numbers import swapped_day_month
from synthetic_data.draws import numbers_of
from synthetic_data.rates import Rates


@dataclass(frozen=True)
class Batches:
    """Which batch each row of a file belongs to, and each batch's fault (null for a sound one)."""

    count: int
    number: pl.Series
    faults: pl.Series
    truncated_to: int
    keys: pl.Series

    @property
    def fault(self) -> pl.Series:
        """The fault of each row's batch."""
        return self.faults.gather(self.number) if len(self.number) else self.faults.head(0)

    def of(self, keys: pl.Series) -> "Batches":
        """The same batches for the rows of another month; a key that is not among them falls to one by its hash."""
        mine = pl.DataFrame({"key": self.keys, "batch": self.number}).unique("key", keep="first", maintain_order=True)
        asked = pl.DataFrame({"key": keys.cast(pl.String)})
        other = (numbers_of(asked["key"]) % np.uint64(max(self.count, 1))).astype(np.int64)
        number = asked.join(mine, on="key", how="left", maintain_order="left")["batch"]
        return replace(
            self, number=number.zip_with(number.is_not_null(), pl.Series(other)).rename("batch"), keys=asked["key"]
        )

    def with_upload(self, fault: str, share: float) -> "Batches":
        """One more batch with a fault: so great a share of the rows, one after another."""
        rows = len(self.number)
        begin = rows // 3
        within = pl.int_range(rows, eager=True).is_between(begin, begin + int(share * rows), closed="left")
        number = pl.Series("batch", [self.count], dtype=pl.Int64).new_from_index(0, rows)
        return replace(
            self,
            count=self.count + 1,
            number=number.zip_with(within, self.number),
            faults=pl.concat([self.faults, pl.Series([fault], dtype=pl.String)]),
        )

    def _struck(self, fault: str) -> pl.Series:
        return (self.fault == fault).fill_null(False)

    def apply(
        self,
        frame: pl.DataFrame,
        *,
        forename: str | None = None,
        surname: str | None = None,
        birth_date: str | None = None,
        postcode: str | None = None,
        text: tuple[str, ...] = (),
    ) -> pl.DataFrame:
        """The frame with the faults of its batches, in the columns named; dates before they are written as text."""
        changes: list[pl.Expr] = []
        upper = self._struck("upper_case")
        for column in dict.fromkeys(text + tuple(name for name in (forename, surname) if name)):
            value = pl.when(upper).then(pl.col(column).str.to_uppercase()).otherwise(pl.col(column))
            if column == forename:
                value = pl.when(self._struck("initials_only")).then(pl.col(column).str.slice(0, 1)).otherwise(value)
            if column == surname:
                short = pl.col(column).str.slice(0, self.truncated_to)
                value = pl.when(self._struck("surname_truncated")).then(short).otherwise(value)
            changes.append(value.alias(column))
        if birth_date:
            born = pl.col(birth_date)
            swapped = self._struck("day_month_swapped")
            changes.append(pl.when(swapped).then(swapped_day_month(born)).otherwise(born).alias(birth_date))
        if postcode:
            spaced = pl.col(postcode)
            unspaced = self._struck("postcode_unspaced")
            changes.append(pl.when(unspaced).then(spaced.str.replace_all(" ", "")).otherwise(spaced).alias(postcode))
        return frame.with_columns(changes)


def batches_of(keys: pl.Series, rates: Rates, file: str, system: str) -> Batches:
    """Consecutive rows (one key each) cut into batches of about the size of errors.yaml.

    The first extract of a file that is written settles which batch a key belongs to; the other months keep to it.
    """
    settled: Batches | None = rates.settled.get(f"{file}:batches")
    if settled is not None:
        fault = rates.month.upload_fault if rates.month else None
        found = settled.of(keys)
        return found.with_upload(fault["fault"], fault["share"]) if fault and fault["file"] == file else found
    rows = len(keys)
    size = int(rates.setting("batches", "rows"))
    draws = rates.draws(f"{file}:batches", pl.Series(range(rows // (size // 2) + 1)))
    cuts = np.cumsum(size // 2 + draws.below(size + 1))
    number = np.searchsorted(cuts, np.arange(rows), side="right")
    count = int(number.max()) + 1 if rows else 0
    weights: dict[str, float] = rates.setting("batches", "faults")
    kinds = list(weights)
    edges = np.cumsum([weights[kind] for kind in kinds])
    drawn = np.searchsorted(edges, draws.random()[:count] * edges[-1], side="right")
    faulty = draws.random()[:count] < rates.batch("faulty", system)
    of_batch = pl.Series(
        [kinds[kind] if bad else None for kind, bad in zip(drawn, faulty, strict=True)], dtype=pl.String
    )
    batches = Batches(
        count=count,
        number=pl.Series("batch", number, dtype=pl.Int64),
        faults=of_batch,
        truncated_to=int(rates.setting("batches", "truncated_to")),
        keys=keys.cast(pl.String),
    )
    rates.settled[f"{file}:batches"] = batches
    return batches
