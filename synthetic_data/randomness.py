"""Named random streams: a table's draws depend on the seed and its own name, never on the order of the code."""

from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray


def stable_hash(name: str) -> int:
    """A 64-bit hash that is the same in every process."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of one named table or decision."""
    return np.random.default_rng([seed, stable_hash(name)])


def weighted(rng: np.random.Generator, weights: ArrayLike, size: int) -> NDArray[np.int64]:
    """Indices drawn with the given (unnormalised) weights."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    return np.searchsorted(edges, rng.random(size) * edges[-1], side="right").astype(np.int64)


def weighted_rows(rng: np.random.Generator, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """One index a row, drawn with that row's weights."""
    edges = np.cumsum(weights, axis=1)
    return (edges < (rng.random(len(weights)) * edges[:, -1])[:, None]).sum(axis=1).astype(np.int64)


def apportion(weights: ArrayLike, total: int) -> NDArray[np.int64]:
    """Whole numbers that add up to total, by largest remainder."""
    share = np.asarray(weights, dtype=float)
    exact = share / share.sum() * total
    whole = np.floor(exact).astype(np.int64)
    for index in np.argsort(-(exact - whole), kind="stable")[: total - int(whole.sum())]:
        whole[index] += 1
    return whole


def distinct(rng: np.random.Generator, count: int, low: int, high: int) -> NDArray[np.int64]:
    """So many different whole numbers from low to below high, in random order."""
    found = np.unique(rng.integers(low, high, count + count // 4 + 16))
    while len(found) < count:
        found = np.unique(np.concatenate([found, rng.integers(low, high, count)]))
    return rng.permutation(found)[:count]
