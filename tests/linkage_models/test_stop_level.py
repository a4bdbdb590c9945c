"""The stop level that follows from a stated target, from what merging joined."""

import numpy as np
import pytest

from linkage_models.calibration import face_value
from linkage_models.clustering import Edges, cluster
from linkage_models.constraints import Constraints
from linkage_models.stop_level import Joins, stop_level
from linkage_models.thresholds import NOTHING_LINKS


def joins(*rows: tuple[float, float, int]) -> Joins:
    mean, upto, pairs = zip(*rows, strict=True)
    return Joins(np.array(mean), np.array(upto), np.array(pairs))


@pytest.mark.parametrize(
    ("target", "stop", "expected"),
    [
        (0.80, -np.inf, (1024 / 1025 + 16 / 17 + 2 / 3) / 3),
        (0.95, 1.0, (1024 / 1025 + 16 / 17) / 2),
        (0.99, 4.0, 1024 / 1025),
        (0.9999, NOTHING_LINKS, 1.0),
    ],
)
def test_joins_are_kept_from_the_best_down_while_they_reach_the_target(
    target: float, stop: float, expected: float
) -> None:
    found = stop_level(face_value(), joins((4.0, 4.0, 1), (1.0, 1.0, 1), (10.0, 10.0, 1)), target)
    assert found == pytest.approx((stop, expected))


def test_where_nothing_was_joined_the_level_stays() -> None:
    none = np.empty(0)
    assert stop_level(face_value(), Joins(none, none, none.astype(np.int64)), 0.99) == (-np.inf, 1.0)


def test_joins_of_many_pairs_weigh_more_and_equals_stand_together() -> None:
    best = (10.0, 10.0, 100)
    assert stop_level(face_value(), joins(best, (2.0, 2.0, 1)), 0.99)[0] == -np.inf
    assert stop_level(face_value(), joins(best, (2.0, 2.0, 50)), 0.99)[0] == 2.0
    # a record alone joins on less than the level: with its equals in level it goes
    assert stop_level(face_value(), joins(best, (2.0, 2.0, 1), (0.5, 2.0, 50)), 0.99)[0] == 2.0


def test_what_clustering_joined_is_told_and_raises_the_level_past_what_is_too_unsure() -> None:
    rows = np.array([(0, 1, 9.0), (0, 2, 8.0), (1, 2, -2.0), (3, 4, 1.5), (5, 6, 12.0)])
    edges = Edges(rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2])
    found = cluster(7, edges, Constraints.none(7), lone=1.5)
    told = sorted(zip(found.joins.mean, found.joins.upto, found.joins.pairs, strict=True))
    assert told == [(1.5, 1.5, 1), (3.0, 4.5, 2), (9.0, 9.0, 1), (12.0, 12.0, 1)]
    stop, expected = stop_level(face_value(), found.joins, 0.92)
    assert stop == 1.5 and expected > 0.92
    raised = cluster(7, edges, Constraints.none(7), stop=stop, lone=1.5)
    assert raised.labels.tolist() == [0, 0, 0, 1, 2, 3, 3]
    assert stop_level(face_value(), raised.joins, 0.92)[0] == -np.inf
