"""What deciding on is expected to put right, as a curve."""

from collections.abc import Sequence
from typing import Any


def gain_curve(gain: Sequence[float]) -> dict[str, Any] | None:
    """The gain of deciding on, as a curve: records put right, over decisions in order."""
    if len(gain) < 2:
        return None
    total, points, step = 0.0, [(0, 0.0)], max(len(gain) // 60, 1)
    for place, each in enumerate(gain, start=1):
        total += each
        if place % step == 0 or place == len(gain):
            points.append((place, total))
    width, height = 420, 130
    drawn = [(40 + x / len(gain) * (width - 50), height - 20 - y / (total or 1) * (height - 45)) for x, y in points]
    half = next((place for place, reached in points if reached >= total / 2), len(gain))
    return {
        "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn),
        "width": width, "height": height, "total": total, "count": len(gain), "half": half,
    }  # fmt: skip
