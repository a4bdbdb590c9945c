"""Clustering: averages, missing pairs, constraints, and that neither order nor threads matter."""

import numpy as np
import pytest

from linkage_models.clustering import NEVER, Clustering, Constraints, Edges, cluster, components


def edges(*rows: tuple[int, int, float]) -> Edges:
    return Edges(
        np.array([r[0] for r in rows]), np.array([r[1] for r in rows]), np.array([r[2] for r in rows], dtype=float)
    )


def constraints(records: int, **given: list[object]) -> Constraints:
    plain = Constraints.none(records).__dict__
    pairs = {name: np.array(given[name], dtype=np.int64).reshape(-1, 2) for name in ("must", "cannot") if name in given}
    arrays = {
        name: np.array(given[name], dtype=np.int64) for name in ("exclusive", "dead_from", "begins") if name in given
    }
    return Constraints(**{**plain, **pairs, **arrays})


def labels(found: Clustering) -> list[int]:
    return found.labels.tolist()


def test_a_chain_of_two_persons_is_cut_at_its_weak_link() -> None:
    found = cluster(4, edges((0, 1, 12), (2, 3, 12), (1, 2, 1)), Constraints.none(4), missing=-3)
    assert labels(found) == [0, 0, 1, 1]
    assert len(set(components(4, np.array([0, 2, 1]), np.array([1, 3, 2])).tolist())) == 1


def test_a_missing_pair_is_forgiven_when_the_rest_is_strong() -> None:
    assert labels(cluster(3, edges((0, 1, 12), (1, 2, 9)), Constraints.none(3), missing=-3)) == [0, 0, 0]


def test_a_negative_pair_speaks_against() -> None:
    assert labels(cluster(3, edges((0, 1, 12), (1, 2, 5), (0, 2, -9)), Constraints.none(3), missing=-3)) == [0, 0, 1]


def test_one_record_of_a_person_where_the_source_holds_each_once() -> None:
    found = cluster(3, edges((0, 1, 9), (1, 2, 8), (0, 2, 8)), constraints(3, exclusive=[7, -1, 7]), missing=-3)
    assert labels(found) == [0, 0, 1]
    assert found.stopped.tolist() == [[0, 2]]


def test_must_and_cannot_link() -> None:
    scored = edges((0, 1, 10))
    assert labels(cluster(3, scored, constraints(3, must=[(0, 2)]), missing=-3))[2] == 0
    assert labels(cluster(2, scored, constraints(2, cannot=[(0, 1)]), missing=-3)) == [0, 1]


def test_a_contradiction_suspends_the_must_links_and_keeps_apart() -> None:
    found = cluster(
        3, edges((0, 1, 10), (1, 2, 10)), constraints(3, must=[(0, 1), (1, 2)], cannot=[(0, 2)]), missing=-3
    )
    assert sorted(found.suspended.tolist()) == [0, 1]
    assert labels(found)[0] != labels(found)[2]


def test_a_must_link_holds_without_any_score_and_against_a_source_rule() -> None:
    assert labels(cluster(2, edges(), constraints(2, must=[(0, 1)], exclusive=[3, 3]), missing=-3)) == [0, 0]


def test_the_dead_begin_nothing() -> None:
    scored = edges((0, 1, 10))
    assert labels(cluster(2, scored, constraints(2, dead_from=[100, NEVER], begins=[-NEVER, 101]), missing=-3)) == [
        0,
        1,
    ]
    assert labels(cluster(2, scored, constraints(2, dead_from=[100, NEVER], begins=[-NEVER, 99]), missing=-3)) == [0, 0]


@pytest.mark.parametrize("stop", [-3.0, -4.0])
def test_a_stop_that_collapses_everything_is_refused(stop: float) -> None:
    with pytest.raises(ValueError, match="everything merges"):
        cluster(2, edges((0, 1, 1)), Constraints.none(2), stop=stop, missing=-3)


def test_nothing_to_cluster() -> None:
    assert labels(cluster(0, edges(), Constraints.none(0))) == []
    assert labels(cluster(3, edges(), Constraints.none(3))) == [0, 1, 2]


def test_row_order_does_not_matter_and_the_shortcut_agrees() -> None:
    rng = np.random.default_rng(3)
    records = 400
    rows = {}
    for _ in range(1500):
        a, b = sorted(rng.integers(0, records, 2).tolist())
        if a != b:
            rows[(a // 5 * 5 + a % 5, b)] = (a, b, float(rng.normal(2, 6)))
    every = [rows[key] for key in sorted(rows)]
    rules = constraints(records, exclusive=rng.integers(-1, 60, records).tolist(), cannot=[(1, 2), (7, 9)])
    first = cluster(records, edges(*every), rules)
    for _ in range(3):
        rng.shuffle(every)
        assert labels(cluster(records, edges(*every), rules)) == labels(first)
    assert np.array_equal(np.unique(first.labels), np.arange(first.labels.max() + 1))
    pairs = [(a, b) for a in range(records) for b in range(a) if first.labels[a] == first.labels[b]]
    assert all(rules.exclusive[a] != rules.exclusive[b] or rules.exclusive[a] < 0 for a, b in pairs)
