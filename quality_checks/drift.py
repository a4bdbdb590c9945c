"""When a distribution has changed suddenly: one rule for lengths, codes, dates, bands and shares alike.

What moved is the total variation distance (half the sum of the absolute differences of the shares): the share of
values that would have to lie elsewhere. The last extracts are each compared and the nearest counts, so that a month
that went wrong and came right again is told once. A move is a drift if

1. it is above a floor, which is policy;
2. it is above the usual: so many times the median of the moves that earlier extracts made;
3. chance can't explain it: the chi-squared statistic of homogeneity, made normal by the cube root of Wilson and
   Hilferty (1931), lies so many standard deviations out. Extracts share most of their rows, so this is cautious.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, median_low
from typing import Literal

Cells = Mapping[str, int]
Direction = Literal["any", "up", "down"]
#: The cell that a share counts: of the two cells of a share, this one says how many rows it is true of.
TRUE = "yes"
#: An expected count below this makes chi-squared untrue (Cochran 1954); such cells are pooled.
_LEAST_EXPECTED = 5


@dataclass(frozen=True)
class DriftLimits:
    """Policy of the rule: the floor is a share, 0 to 1; `nearest` and `history` are numbers of extracts."""

    floor: float
    usual: float
    deviations: float
    nearest: int
    history: int


@dataclass(frozen=True)
class Move:
    """How far a distribution moved: `distance` is a share of `rows`."""

    rows: int
    distance: float
    drifted: bool

    @property
    def failures(self) -> int:
        """Rows that lie elsewhere than they would have, if that is a drift; else none."""
        return max(round(self.distance * self.rows), 1) if self.drifted else 0


def drift(
    now: Cells,
    earlier: Sequence[Cells],
    limits: DriftLimits,
    direction: Direction = "any",
    season: Sequence[Cells] = (),
) -> Move | None:
    """How a distribution stands to those of earlier extracts, the newest first; None without any to compare with.

    A share is a distribution over `yes` and `no`; with a direction only its rise or fall counts. `season` are those of
    the same season a year ago: near them is near enough.
    """
    held = [cells for cells in earlier if sum(cells.values())][: limits.history]
    rows = sum(now.values())
    if not held or not rows:
        return None
    near = [*held[: limits.nearest], *(cells for cells in season if sum(cells.values()))]
    moves = [_moved(now, cells, direction) for cells in near]
    distance = min(moves)
    against = near[moves.index(distance)]
    usual = [
        min(_moved(cells, before, direction) for before in held[place + 1 : place + 1 + limits.nearest])
        for place, cells in enumerate(held[:-1])
    ]
    beyond = max(limits.floor, limits.usual * (median(usual) if usual else 0.0))
    return Move(rows, distance, distance > beyond and deviations(now, against) > limits.deviations)


def distance(one: Cells, other: Cells) -> float:
    """Total variation distance of two distributions, 0 to 1."""
    here, there = sum(one.values()), sum(other.values())
    return sum(abs(one.get(cell, 0) / here - other.get(cell, 0) / there) for cell in {*one, *other}) / 2


def deviations(one: Cells, other: Cells) -> float:
    """Standard deviations by which two samples are further apart than samples of one population."""
    pooled = _pooled(one, other)
    freedom = len(pooled) - 1
    if freedom < 1:
        return 0.0
    totals = [sum(counts) for counts in zip(*pooled, strict=True)]
    whole = sum(totals)
    statistic = 0.0
    for counts in pooled:
        for count, total in zip(counts, totals, strict=True):
            expected = sum(counts) * total / whole
            statistic += (count - expected) ** 2 / expected
    spread = 2 / (9 * freedom)
    return float(((statistic / freedom) ** (1 / 3) - (1 - spread)) / spread**0.5)


def stalled(moved: int, earlier: Sequence[int], least: int, share: float, history: int) -> bool | None:
    """Whether so little changed since the last extract that the feed must have stopped: less than a share of what
    usually does. None where nothing is usual: one extract in which all changed, or a table that hardly changes."""
    held = earlier[:history]
    usual = median_low(held) if len(held) > 1 else 0
    return moved < share * usual if usual >= least else None


def _moved(now: Cells, before: Cells, direction: Direction) -> float:
    if direction == "any":
        return distance(now, before)
    rise = now.get(TRUE, 0) / sum(now.values()) - before.get(TRUE, 0) / sum(before.values())
    return max(rise if direction == "up" else -rise, 0.0)


def _pooled(one: Cells, other: Cells) -> list[tuple[int, int]]:
    """Counts by cell, the rarest put together until none is expected too seldom for chi-squared."""
    smaller = min(sum(one.values()), sum(other.values())) / (sum(one.values()) + sum(other.values()))
    counts = sorted(((one.get(cell, 0), other.get(cell, 0)) for cell in {*one, *other}), key=sum)
    while len(counts) > 1 and sum(counts[0]) * smaller < _LEAST_EXPECTED:
        first, second, *rest = counts
        counts = sorted([(first[0] + second[0], first[1] + second[1]), *rest], key=sum)
    return counts
