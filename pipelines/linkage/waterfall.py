"""Evidence as a running total, drawn with characters: each bar begins where the one before it ended."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 32
FOR, AGAINST = "█", "░"


@dataclass(frozen=True)
class Step:
    """A piece of evidence and its weight in bits."""

    name: str
    what: str
    weight: float


def waterfall(steps: Sequence[Step], width: int = WIDTH) -> list[tuple[str, str, float, float, str]]:
    """Rows (name, what, weight, running total, bar). Full bars speak for one person, light ones against; all are on one
    scale, and a `|` stands where the total is 0: even odds."""
    totals = [0.0]
    for step in steps:
        totals.append(totals[-1] + step.weight)
    low, high = min(totals), max(totals)
    scale = (width - 1) / ((high - low) or 1.0)

    def place(value: float) -> int:
        return round((value - low) * scale)

    rows = []
    for step, before, after in zip(steps, totals, totals[1:], strict=False):
        cells = [" "] * width
        cells[place(0.0)] = "|"
        first, last = sorted((place(before), place(after)))
        for cell in range(first, max(last, first + 1) if step.weight else first):
            cells[cell] = FOR if step.weight > 0 else AGAINST
        rows.append((step.name, step.what, round(step.weight, 2), round(after, 2), "".join(cells).rstrip()))
    return rows
