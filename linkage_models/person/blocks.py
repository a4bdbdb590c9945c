"""The blocks of one rule as arrays, and the pairs in them: numbers sort quicker than a table joins to itself."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of two records or more: block i holds `records[first[i] : first[i] + size[i]]`."""

    records: Ints
    first: Ints
    size: Ints

    @staticmethod
    def of(con: duckdb.DuckDBPyConnection, keyed: str) -> "Blocks":
        """From a query of (unique_id, k), each pair of them once."""
        found = con.execute(f"SELECT unique_id, k FROM {keyed}").fetchnumpy()
        order = np.argsort(found["k"])
        key, records = found["k"][order], np.asarray(found["unique_id"], dtype=np.int64)[order]
        first = np.flatnonzero(np.concatenate([key[:1] == key[:1], key[1:] != key[:-1]]))
        size = np.diff(first, append=len(key))
        shared = size > 1
        return Blocks(records, first[shared], size[shared])

    @property
    def pairs(self) -> int:
        return int((self.size * (self.size - 1) // 2).sum())

    @property
    def largest(self) -> int:
        return int(self.size.max(initial=min(len(self.records), 1)))

    def touching(self, touched: Bools) -> "Blocks":
        """The blocks that hold a record of the mask `touched`."""
        held = np.concatenate([[0], np.cumsum(touched[self.records])])
        kept = held[self.first + self.size] > held[self.first]
        return Blocks(self.records, self.first[kept], self.size[kept])

    def ends(self, touched: Bools | None = None) -> tuple[Ints, Ints]:
        """Every pair, the lower record and the higher one; with `touched` those that hold a record of this mask."""
        parts = list((self.touching(touched) if touched is not None else self)._pairs())
        one, other = (np.concatenate([np.empty(0, dtype=np.int64), *(part[side] for part in parts)]) for side in (0, 1))
        if touched is not None:
            kept = touched[one] | touched[other]
            one, other = one[kept], other[kept]
        return np.minimum(one, other), np.maximum(one, other)

    def _pairs(self) -> Iterator[tuple[Ints, Ints]]:
        """The pairs that lie one apart in their block, then two apart, and so on."""
        first, size = self.first, self.size
        for apart in range(1, self.largest):
            first, size = first[size > apart], size[size > apart]
            count = size - apart
            place = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
            yield self.records[place], self.records[place + apart]
