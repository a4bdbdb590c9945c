"""The drift rule: what is a sudden change, and what isn't."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from quality_checks.drift import DriftLimits, deviations, distance, drift, stalled

CASES = yaml.safe_load((Path(__file__).parent / "drift.yaml").read_text(encoding="utf-8"))
LIMITS = DriftLimits(floor=0.03, usual=4, deviations=5, nearest=3, history=12)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_given_and_expected(case: dict[str, Any]) -> None:
    move = drift(case["now"], case["earlier"], LIMITS, case.get("direction", "any"), case.get("season", []))
    if case["expected"] is None:
        assert move is None
    else:
        assert move is not None
        assert (move.drifted, move.failures) == (case["expected"]["drifted"], case["expected"]["failures"])


def test_distance_is_the_share_that_lies_elsewhere() -> None:
    assert distance({"a": 60, "b": 40}, {"a": 50, "c": 50}) == pytest.approx(0.5)
    assert distance({"a": 1}, {"a": 1000}) == 0


def test_chance_alone_stays_within_its_deviations() -> None:
    """Samples of one population: as a standard normal, so hardly any beyond three and none near five."""
    draw = random.Random(7)
    found = []
    for _ in range(300):
        samples = [dict.fromkeys("abcdef", 0) for _ in range(2)]
        for sample in samples:
            for cell in draw.choices("abcdef", (30, 25, 20, 15, 8, 2), k=500):
                sample[cell] += 1
        found.append(deviations(*samples))
    assert abs(sum(found) / len(found)) < 0.25
    assert max(found) < 4


def test_cells_that_are_expected_too_seldom_are_pooled() -> None:
    assert deviations({"a": 1000, "b": 1}, {"a": 1000, "c": 1}) == 0


@pytest.mark.parametrize(
    ("moved", "earlier", "expected"),
    [
        (0, [100, 90], True),
        (19, [100, 100], True),
        (20, [100, 100], False),
        (0, [3, 4], None),
        (0, [], None),
        (2, [100, 3], None),  # a migration, and a month as this one
        (2, [100], None),
    ],
)
def test_a_feed_that_stopped(moved: int, earlier: list[int], expected: bool | None) -> None:
    assert stalled(moved, earlier, least=30, share=0.2, history=12) is expected
