"""Numbers that stand for records: the same whatever other records there are, so that equals have an order."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Marks = NDArray[np.uint64]


def marks(records: Iterable[str]) -> Marks:
    """The lower half of the MD5 of each name, as DuckDB's md5_number_lower."""
    return np.array(
        [int.from_bytes(hashlib.md5(name.encode(), usedforsecurity=False).digest()[8:], "little") for name in records],
        np.uint64,
    )


def mixed(number: Marks) -> Marks:
    """A 64-bit hash (the finaliser of splitmix64: Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            number = (number ^ (number >> np.uint64(shift))) * np.uint64(factor)
    return number ^ (number >> np.uint64(31))
