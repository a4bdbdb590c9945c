"""The blocks of one rule as arrays, and the pairs in them: numbers sort quicker than a table joins to itself."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Keys = NDArray[np.uint64]

# Odd and without a pattern (Knuth's multiplicative hashing): two numbers made one lead back to no other two.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of two records or more: block i, of the key `key[i]`, holds `records[first[i] : first[i] + size[i]]`."""

    records: Ints
    first: Ints
    size: Ints
    key: Keys

    @staticmethod
    def of(con: duckdb.DuckDBPyConnection, keyed: str) -> "Blocks":
        """From a query of (unique_id, k), each pair of them once."""
        key, records = _by_key(con, keyed)
        return Blocks._cut(records, key, np.concatenate([key[:1] == key[:1], key[1:] != key[:-1]]))

    @staticmethod
    def _cut(records: Ints, key: Keys, begins: Bools) -> "Blocks":
        first = np.flatnonzero(begins)
        size = np.diff(first, append=len(records))
        shared = size > 1
        return Blocks(records, first[shared], size[shared], key[first[shared]])

    @property
    def pairs(self) -> int:
        return int((self.size * (self.size - 1) // 2).sum())

    @property
    def largest(self) -> int:
        return int(self.size.max(initial=min(len(self.records), 1)))

    def within(self, limit: int) -> "Blocks":
        """The blocks of up to so many records."""
        return self._only(self.size <= limit)

    def above(self, limit: int) -> "Blocks":
        """The blocks of more records."""
        return self._only(self.size > limit)

    def _only(self, kept: Bools) -> "Blocks":
        if kept.all():
            return self
        size = self.size[kept]
        return Blocks(self.records[_ranges(self.first[kept], size)], np.cumsum(size) - size, size, self.key[kept])

    def narrowed(self, value: Keys, known: Bools) -> "Blocks":
        """The blocks parted by a value of each record (by its number), each of a key of its own; records whose value is
        not known are in none."""
        block, records = self._members()
        told = known[records]
        block, records = block[told], records[told]
        order = np.lexsort((value[records], block))
        block, records = block[order], records[order]
        same = (block[1:] == block[:-1]) & (value[records[1:]] == value[records[:-1]])
        key = self.key[block] * _SPREAD + value[records]
        return Blocks._cut(records, key, np.concatenate([block[:1] == block[:1], ~same]))

    def among(self, chosen: Bools) -> "Blocks":
        """The blocks as they would be if there were only the chosen records (by number)."""
        block, records = self._members()
        kept = chosen[records]
        block, records = block[kept], records[kept]
        return Blocks._cut(records, self.key[block], np.concatenate([block[:1] == block[:1], block[1:] != block[:-1]]))

    def _members(self) -> tuple[Ints, Ints]:
        """The block of each place in a block, and its record."""
        return np.repeat(np.arange(len(self.size)), self.size), self.records[_ranges(self.first, self.size)]

    def ends(self, touched: Bools | None = None) -> tuple[Ints, Ints]:
        """Every pair, the lower record and the higher one; with `touched` those that hold a record of this mask, of
        which a pair of two may come twice."""
        if touched is not None:
            block, records = self._members()
            some = touched[records]
            block = block[some]
            one = np.repeat(records[some], self.size[block])
            other = self.records[_ranges(self.first[block], self.size[block])]
            one, other = one[one != other], other[one != other]
        else:
            parts = list(self._pairs())
            one, other = (np.concatenate([np.empty(0, dtype=np.int64), *(p[side] for p in parts)]) for side in (0, 1))
        return np.minimum(one, other), np.maximum(one, other)

    def _pairs(self) -> Iterator[tuple[Ints, Ints]]:
        """The pairs that lie one apart in their block, then two apart, and so on."""
        first, size = self.first, self.size
        for apart in range(1, self.largest):
            first, size = first[size > apart], size[size > apart]
            place = _ranges(first, size - apart)
            yield self.records[place], self.records[place + apart]


@dataclass(frozen=True, eq=False)
class Crossing:
    """Blocks of a rule that sets one column against another: record `one[i]` meets the records
    `others[first[i] : first[i] + size[i]]` of the block of the key `key[i]`, which has `both[i]` records on both
    sides."""

    one: Ints
    others: Ints
    first: Ints
    size: Ints
    both: Ints
    key: Keys

    @staticmethod
    def of(con: duckdb.DuckDBPyConnection, left: str, right: str) -> "Crossing":
        """From a query of (unique_id, k) for each side."""
        (key, one), (theirs, others) = _by_key(con, left), _by_key(con, right)
        first, end = (np.searchsorted(theirs, key, side=side) for side in ("left", "right"))
        return Crossing._met(one, others, first, end - first, key)

    @staticmethod
    def _met(one: Ints, others: Ints, first: Ints, size: Ints, key: Keys) -> "Crossing":
        """Of records in the order of their keys, those that meet any."""
        shared = size > 0
        beside = np.searchsorted(key, key, side="right") - np.searchsorted(key, key)
        return Crossing(one[shared], others, first[shared], size[shared], (size + beside)[shared], key[shared])

    @property
    def largest(self) -> int:
        return int(self.both.max(initial=0))

    def within(self, limit: int) -> "Crossing":
        """The blocks of up to so many records."""
        return self._only(self.both <= limit)

    def above(self, limit: int) -> "Crossing":
        """The blocks of more records."""
        return self._only(self.both > limit)

    def _only(self, kept: Bools) -> "Crossing":
        if kept.all():
            return self
        first, size, both, key = self.first[kept], self.size[kept], self.both[kept], self.key[kept]
        return Crossing(self.one[kept], self.others, first, size, both, key)

    def among(self, chosen: Bools) -> "Crossing":
        """As Blocks.among."""
        kept, before = chosen[self.one], np.concatenate([[0], np.cumsum(chosen[self.others])])
        first, end = before[self.first[kept]], before[self.first[kept] + self.size[kept]]
        return Crossing._met(self.one[kept], self.others[chosen[self.others]], first, end - first, self.key[kept])

    @property
    def pairs(self) -> int:
        """How many there are, counted from one side: a symmetrical rule meets each from both."""
        return int(self.size.sum())

    def ends(self, touched: Bools | None = None) -> tuple[Ints, Ints]:
        """As Blocks.ends; a pair may come twice."""
        one = np.repeat(self.one, self.size)
        other = self.others[_ranges(self.first, self.size)]
        kept = one != other
        if touched is not None:
            kept &= touched[one] | touched[other]
        one, other = one[kept], other[kept]
        return np.minimum(one, other), np.maximum(one, other)


def _ranges(first: Ints, size: Ints) -> Ints:
    """The places first[i], first[i] + 1, and so on, size[i] of them, one range after the other."""
    return np.repeat(first - (np.cumsum(size) - size), size) + np.arange(size.sum())


def _by_key(con: duckdb.DuckDBPyConnection, keyed: str) -> tuple[Keys, Ints]:
    """The keys in order, and the record of each."""
    found = con.execute(f"SELECT unique_id, k FROM {keyed}").fetchnumpy()
    order = np.argsort(found["k"])
    return found["k"][order], np.asarray(found["unique_id"], dtype=np.int64)[order]
