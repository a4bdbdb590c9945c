"""Which pairs a person is asked to look at: one question of two groups of records, none that is answered."""

import numpy as np
import polars as pl

from linkage_models.calibration import Thresholds
from linkage_models.clustering import Edges, cluster
from linkage_models.constraints import Constraints
from pipelines.linkage.doubts import BETWEEN, STRONG, _scored
from pipelines.linkage.graph import Graph

AT = Thresholds(link=3.0, review=-3.0, target=0.99, expected=0.99)


def asked(pairs: dict[tuple[int, int], float], records: int) -> list[tuple[str, str, str]]:
    left, right = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    names = pl.DataFrame(
        {"record_id": [f"r{place}" for place in range(records)], "source": ["s"] * records, "anew": [True] * records}
    )
    graph = Graph(names, Edges(left, right, np.array(list(pairs.values()))), Constraints.none(records))
    found = cluster(records, graph.edges, graph.constraints)
    chosen, why, reasons = _scored(graph, found, AT, 13)
    ends = graph.pairs(left[chosen], right[chosen]).rows()
    return sorted((*pair, reasons[place]) for pair, place in zip(ends, why, strict=True))


def test_two_groups_make_one_question() -> None:
    across = {(0, 2): -1.0, (0, 3): -2.0, (1, 2): -2.5, (1, 3): -0.5}
    assert asked({(0, 1): 8.0, (2, 3): 8.0} | across, 4) == [("r1", "r3", BETWEEN)]
    against = {(0, 2): 4.0, (0, 3): -9.0, (1, 2): 3.5, (1, 3): -9.0}
    assert asked({(0, 1): 8.0, (2, 3): 8.0} | against, 4) == [("r0", "r2", STRONG)]


def test_a_weak_pair_of_records_that_strong_pairs_hold_is_no_question() -> None:
    assert asked({(0, 1): 8.0, (1, 2): 8.0, (0, 2): 1.0}, 3) == []
    assert asked({(0, 1): 2.0}, 2) == [("r0", "r1", BETWEEN)]
