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
        key, records = _by_key(con, keyed)
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


@dataclass(frozen=True, eq=False)
class Crossing:
    """Blocks of a rule that sets one column against another: record `one[i]` meets the records
    `others[first[i] : first[i] + size[i]]`. `largest` counts the records of both sides of a block."""

    one: Ints
    others: Ints
    first: Ints
    size: Ints
    largest: int

    @staticmethod
    def of(con: duckdb.DuckDBPyConnection, left: str, right: str) -> "Crossing":
        """From a query of (unique_id, k) for each side."""
        (key, one), (theirs, others) = _by_key(con, left), _by_key(con, right)
        first, end = (np.searchsorted(theirs, key, side=side) for side in ("left", "right"))
        size = end - first
        shared = size > 0
        beside = np.searchsorted(key, key, side="right") - np.searchsorted(key, key)
        largest = int((size + beside)[shared].max(initial=0))
        return Crossing(one[shared], others, first[shared], size[shared], largest)

    @property
    def pairs(self) -> int:
        """How many there are, counted from one side: a symmetrical rule meets each from both."""
        return int(self.size.sum())

    def ends(self, touched: Bools | None = None) -> tuple[Ints, Ints]:
        """As Blocks.ends; a pair may come twice."""
        one = np.repeat(self.one, self.size)
        place = np.repeat(self.first - (np.cumsum(self.size) - self.size), self.size) + np.arange(len(one))
        other = self.others[place]
        kept = one != other
        if touched is not None:
            kept &= touched[one] | touched[other]
        one, other = one[kept], other[kept]
        return np.minimum(one, other), np.maximum(one, other)


def _by_key(con: duckdb.DuckDBPyConnection, keyed: str) -> tuple[NDArray[np.uint64], Ints]:
    """The keys in order, and the record of each."""
    found = con.execute(f"SELECT unique_id, k FROM {keyed}").fetchnumpy()
    order = np.argsort(found["k"])
    return found["k"][order], np.asarray(found["unique_id"], dtype=np.int64)[order]
