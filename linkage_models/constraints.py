"""What people decided, and what is known of records, that no score may overrule when they are clustered."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Constraints:
    """What no score may overrule.

    `must`, `cannot`: decided pairs, shape (k, 2). `exclusive`: a code per record, at most one record of a code in a
    cluster, -1 for none. `dead_from`: day (any integer scale) from which the record's person is known dead, NEVER if
    not. `begins`: latest day on which the record's person did something only the living do, -NEVER if none.
    """

    must: Ints
    cannot: Ints
    exclusive: Ints
    dead_from: Ints
    begins: Ints

    @staticmethod
    def none(records: int) -> "Constraints":
        pairs = np.empty((0, 2), dtype=np.int64)
        return Constraints(pairs, pairs, np.full(records, -1), np.full(records, NEVER), np.full(records, -NEVER))
