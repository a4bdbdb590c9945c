"""Random numbers that belong to a record, not to its place in a file: next month's extract errs where this one did."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.uint64]

_FNV_PRIME = np.uint64(1_099_511_628_211)
_FNV_BASIS = np.uint64(14_695_981_039_346_656_037)


def numbers_of(keys: pl.Series) -> Numbers:
    """A 64-bit number for each key (text or whole number; null counts as an empty text), the same in every process."""
    text = keys.cast(pl.String).fill_null("").to_numpy().astype(np.bytes_)
    if len(text) == 0:
        return np.zeros(0, dtype=np.uint64)
    letters = text.view(np.uint8).reshape(len(text), -1)
    numbers = np.full(len(text), _FNV_BASIS, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in letters.T:  # FNV-1a, one letter of all keys at a time
            # Beyond a key's own end stand noughts; the longest key of a file must not change the others.
            numbers = np.where(column == 0, numbers, (numbers ^ column.astype(np.uint64)) * _FNV_PRIME)
    return numbers


def _mixed(numbers: Numbers) -> Numbers:
    """The finishing step of splitmix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


class Draws:
    """Columns of uniform numbers, one row a key; each call gives the next column."""

    def __init__(self, salt: int, keys: pl.Series) -> None:
        self._numbers = _mixed(numbers_of(keys) ^ np.uint64(salt))
        self._column = 0

    def __len__(self) -> int:
        return len(self._numbers)

    def random(self) -> Floats:
        """One number in [0, 1) a row."""
        return self._next(self._numbers)

    def at(self, rows: NDArray[np.int64], columns: int) -> Floats:
        """Some columns of numbers in [0, 1), for these rows only."""
        chosen = self._numbers[rows]
        return np.stack([self._next(chosen) for _ in range(columns)], axis=1)

    def below(self, count: int) -> NDArray[np.int64]:
        """One whole number from 0 to count - 1 a row."""
        return (self.random() * count).astype(np.int64)

    def _next(self, numbers: Numbers) -> Floats:
        self._column += 1
        with np.errstate(over="ignore"):
            step = np.uint64(self._column) * np.uint64(0x9E3779B97F4A7C15)
            return (_mixed(numbers + step) >> np.uint64(11)).astype(np.float64) * 2.0**-53
