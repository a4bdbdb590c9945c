"""The stop level of clustering that follows from a stated target precision, from what merging itself shows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage_models.calibration import Calibration
from linkage_models.thresholds import NOTHING_LINKS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Joins:
    """What became one: the `mean` weight over all pairs between two groups, how many `pairs` these are, and the stop
    level `upto` which they would have."""

    mean: Floats
    upto: Floats
    pairs: NDArray[np.int64]


def stop_level(calibration: Calibration, joins: Joins, target: float) -> tuple[float, float]:
    """The least stop level at which the pairs of records that `joins` brought together are expected to reach `target`,
    and what they are then expected to reach. A pair is of one person as likely as one of the mean weight between the
    two groups that it joined: their pairs share what they show, so that together they say little more than on average.
    Where nothing was joined any level will do.
    """
    if not len(joins.pairs):
        return -np.inf, 1.0
    order = np.argsort(-joins.upto, kind="stable")
    pairs = joins.pairs[order]
    expected = np.cumsum(calibration.probability(joins.mean)[order] * pairs) / np.cumsum(pairs)
    upto = joins.upto[order]
    # those of one level join together or not at all
    last = np.flatnonzero((expected >= target) & (np.append(upto[1:], -np.inf) < upto))
    if len(last) == 0:
        return NOTHING_LINKS, 1.0
    at = int(last[-1])
    return (float(upto[at + 1]) if at + 1 < len(upto) else -np.inf), float(expected[at])
