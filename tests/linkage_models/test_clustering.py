"""Clustering: averages, missing pairs, constraints, and that neither order nor threads matter."""

import numpy as np
import pytest

from linkage_models import thresholds as policy
from linkage_models.clustering import Clustering, Edges, check_stop, cluster, components, missing_weight
from linkage_models.constraints import NEVER, Constraints
from linkage_models.marks import marks
from linkage_models.merging import DEAD, DECIDED, FITS_TWO, ONE_PER_SOURCE


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


def test_a_record_alone_joins_a_group_on_less_evidence_than_two_groups_or_two_records() -> None:
    two, four = Constraints.none(3), Constraints.none(4)
    damaged = edges((0, 1, 12), (1, 2, 2), (0, 2, -4))
    assert labels(cluster(3, damaged, two, missing=-3)) == [0, 0, 1]
    assert labels(cluster(3, damaged, two, missing=-3, lone=1.5)) == [0, 0, 0]
    assert labels(cluster(3, edges((0, 1, 12), (1, 2, 1), (0, 2, -4)), two, missing=-3, lone=1.5)) == [0, 0, 1]
    # copies of one record say the same twice
    assert labels(cluster(3, edges((0, 1, 12), (1, 2, -1), (0, 2, -1)), two, missing=-3, lone=1.5)) == [0, 0, 1]
    groups = edges((0, 1, 12), (2, 3, 12), (0, 2, 2), (1, 3, -4), (0, 3, 2), (1, 2, -4))
    assert labels(cluster(4, groups, four, missing=-3, lone=1.5)) == [0, 0, 1, 1]
    assert labels(cluster(2, edges((0, 1, -1)), Constraints.none(2), missing=-3, lone=1.5)) == [0, 1]
    # never nearer than half way to a missing pair
    assert labels(cluster(3, edges((0, 1, 12), (0, 2, 0.1), (1, 2, -4)), two, missing=-3, lone=9)) == [0, 0, 1]


def test_one_record_of_a_person_where_the_source_holds_each_once() -> None:
    found = cluster(3, edges((0, 1, 9), (1, 2, 5), (0, 2, 4)), constraints(3, exclusive=[7, -1, 7]), missing=-3)
    assert labels(found) == [0, 0, 1]
    assert (found.stopped.tolist(), found.stopped_by.tolist()) == ([1], [ONE_PER_SOURCE])


@pytest.mark.parametrize(("others", "asked"), [(5.0, 2), (-9.0, None)])
def test_what_lies_between_two_persons_decides_whether_a_forbidden_pair_is_asked_about(
    others: float, asked: int | None
) -> None:
    # records 0 and 1 are of one person, 2 and 3 of another; one source holds 0 and 2
    rows = [(0, 1, 9.0), (2, 3, 9.0), (0, 2, 8.0), (0, 3, others), (1, 2, others), (1, 3, others)]
    found = cluster(4, edges(*rows), constraints(4, exclusive=[7, -1, 7, -1]))
    assert labels(found) == [0, 0, 1, 1]
    assert list(zip(found.stopped, found.stopped_by, strict=True)) == ([(asked, ONE_PER_SOURCE)] if asked else [])


def test_of_a_list_that_holds_a_person_once_every_likely_pair_is_asked_about() -> None:
    every = [(a, b, 3.0) for b in range(40) for a in range(b)]
    found = cluster(40, edges(*every), constraints(40, exclusive=[0] * 40, cannot=[(0, 1)]))
    assert labels(found) == list(range(40)) and len(found.stopped) == len(every)
    assert set(found.stopped_by[1:].tolist()) == {ONE_PER_SOURCE} and found.stopped_by[0] == DECIDED


def test_what_fits_two_persons_joins_neither() -> None:
    """A record without a birth date beside a father and a son of one name, who have two records each."""
    family = ((0, 1, 12), (2, 3, 12), (0, 2, -9), (0, 3, -9), (1, 2, -9), (1, 3, -9))
    doubtful = edges(*family, (0, 4, 6), (1, 4, 6), (2, 4, 5), (3, 4, 5))
    found = cluster(5, doubtful, Constraints.none(5), missing=-3)
    assert labels(found) == [0, 0, 1, 1, 2]
    assert (found.stopped.tolist(), found.stopped_by.tolist()) == ([6, 8], [FITS_TWO, FITS_TWO])
    clear = edges(*family, (0, 4, 6), (1, 4, 6), (2, 4, 2), (3, 4, 2))
    assert labels(cluster(5, clear, Constraints.none(5), missing=-3)) == [0, 0, 1, 1, 0]
    # a decision about one of the two leaves the other; all of one person leave no question
    decided = cluster(5, doubtful, constraints(5, cannot=[(0, 4)]), missing=-3)
    assert labels(decided) == [0, 0, 1, 1, 1]
    assert labels(cluster(3, edges((0, 1, 6), (1, 2, 6), (0, 2, -1)), Constraints.none(3), missing=-3)) == [0, 0, 0]


@pytest.fixture
def guessing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing counts as fitting two, so that equals are parted by guess."""
    monkeypatch.setattr(policy, "FITS_AS_WELL", -2 * policy.WEIGHT_CAP)


def test_must_and_cannot_link() -> None:
    scored = edges((0, 1, 10))
    assert labels(cluster(3, scored, constraints(3, must=[(0, 2)]), missing=-3))[2] == 0
    apart = cluster(2, scored, constraints(2, cannot=[(0, 1)]), missing=-3)
    assert (labels(apart), apart.stopped_by.tolist()) == ([0, 1], [DECIDED])


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
    apart = cluster(2, scored, constraints(2, dead_from=[100, NEVER], begins=[-NEVER, 101]), missing=-3)
    assert (labels(apart), apart.stopped_by.tolist()) == ([0, 1], [DEAD])
    assert labels(cluster(2, scored, constraints(2, dead_from=[100, NEVER], begins=[-NEVER, 99]), missing=-3)) == [0, 0]


@pytest.mark.parametrize("stop", [-3.0, -4.0])
def test_a_stop_that_collapses_everything_is_refused(stop: float) -> None:
    with pytest.raises(ValueError, match="everything merges"):
        cluster(2, edges((0, 1, 1)), Constraints.none(2), stop=stop, missing=-3)


def test_nothing_to_cluster() -> None:
    assert labels(cluster(0, edges(), Constraints.none(0))) == []
    assert labels(cluster(3, edges(), Constraints.none(3))) == [0, 1, 2]


def test_a_group_that_hangs_by_one_pair_is_held_by_a_bridge() -> None:
    pair = edges((0, 1, 12), (2, 3, 12), (1, 2, 19))
    assert cluster(4, pair, Constraints.none(4), missing=-3).bridges.tolist() == [2]
    two = cluster(4, edges((0, 1, 12), (2, 3, 12), (1, 2, 11), (0, 3, 11)), Constraints.none(4), missing=-3)
    assert labels(two) == [0, 0, 0, 0] and not len(two.bridges) and not len(two.thin)
    one_record = cluster(3, edges((0, 1, 12), (1, 2, 12)), Constraints.none(3), missing=-3)
    assert labels(one_record) == [0, 0, 0] and not len(one_record.bridges)


def test_a_merge_on_hardly_any_evidence_is_noted() -> None:
    found = cluster(4, edges((0, 1, 15), (2, 3, 15), (1, 2, 5), (0, 3, 2)), Constraints.none(4), missing=-3)
    assert (labels(found), found.thin.tolist()) == ([0, 0, 0, 0], [2])


@pytest.mark.parametrize("recall", [-1.0, 0.0, 0.3, 0.9, 1.0, 7.0])
def test_no_estimate_of_recall_makes_everything_one(recall: float) -> None:
    assert -10 < missing_weight(recall) <= -1
    check_stop(policy.CLUSTER_STOP, missing_weight(recall))


def drawn(rng: np.random.Generator, records: int, even: bool) -> tuple[list[tuple[int, int, float]], Constraints]:
    """Pairs among neighbours, many of them of equal weight if `even`, and constraints of every kind."""
    near = [(a, a + step) for a in range(records) for step in (1, 2, 3, 5, 40) if a + step < records]
    chosen = [pair for pair in near if rng.random() < 0.7]
    weights = rng.choice([-6.0, 2.0, 9.0, 14.0], len(chosen)) if even else rng.normal(1.5, 6, len(chosen))
    rows = [(a, b, float(weight)) for (a, b), weight in zip(chosen, weights, strict=True)]
    dead = np.where(rng.random(records) < 0.05, 50, NEVER)
    begins = np.where(rng.random(records) < 0.3, rng.integers(0, 100, records), -NEVER)
    pairs = {kind: [near[place] for place in rng.integers(0, len(near), 8)] for kind in ("must", "cannot")}
    codes = rng.integers(-1, records // 3, records).tolist()
    return rows, constraints(records, **pairs, exclusive=codes, dead_from=dead.tolist(), begins=begins.tolist())


def best_first(
    records: int, rows: list[tuple[int, int, float]], rules: Constraints, suspended: set[int], lone: float
) -> list[int]:
    """Average linkage as its definition says it: the best allowed merge, one at a time."""
    weight = {(a, b): w for a, b, w in rows}
    must = np.array([pair for place, pair in enumerate(rules.must.tolist()) if place not in suspended]).reshape(-1, 2)
    decided = components(records, must[:, 0], must[:, 1])
    groups = [np.flatnonzero(decided == each).tolist() for each in range(decided.max() + 1)]
    apart = {tuple(sorted(pair)) for pair in rules.cannot.tolist()}

    def allowed(one: list[int], other: list[int]) -> bool:
        return all(
            tuple(sorted((a, b))) not in apart
            and (rules.exclusive[a] < 0 or rules.exclusive[a] != rules.exclusive[b])
            and rules.begins[a] <= rules.dead_from[b]
            and rules.begins[b] <= rules.dead_from[a]
            for a in one
            for b in other
        )

    def wanted(one: list[int], other: list[int]) -> float | None:
        between = [weight.get((min(a, b), max(a, b)), -3.0) for a in one for b in other]
        joins = min(len(one), len(other)) == 1 < len(between) and max(between) > 0
        return value if (value := float(np.mean(between))) > (-lone if joins else 0.0) else None

    while True:
        every = [(i, j) for j in range(len(groups)) for i in range(j) if allowed(groups[i], groups[j])]
        values = [(value, i, j) for i, j in every if (value := wanted(groups[i], groups[j])) is not None]
        if not values:
            break
        _, i, j = max(values)
        groups[i] += groups.pop(j)
    label = {record: min(group) for group in groups for record in group}
    return np.unique([label[record] for record in range(records)], return_inverse=True)[1].tolist()


@pytest.mark.usefixtures("guessing")
@pytest.mark.parametrize("lone", [0.0, 1.5])
@pytest.mark.parametrize("seed", range(6))
def test_rounds_give_what_merging_best_first_gives(seed: int, lone: float) -> None:
    rows, rules = drawn(np.random.default_rng(seed), 45, even=False)
    found = cluster(45, edges(*rows), rules, missing=-3, lone=lone)
    assert labels(found) == best_first(45, rows, rules, set(found.suspended.tolist()), lone)


@pytest.mark.parametrize("lone", [0.0, 1.5])
@pytest.mark.parametrize("even", [False, True])
def test_neither_row_order_nor_the_graph_around_matters(even: bool, lone: float) -> None:
    rng = np.random.default_rng(3)
    rows, rules = drawn(rng, 400, even)
    first = cluster(400, edges(*rows), rules, lone=lone)
    shuffled = [rows[place] for place in rng.permutation(len(rows))]
    turned = [(b, a, weight) if rng.random() < 0.5 else (a, b, weight) for a, b, weight in shuffled]
    again = cluster(400, edges(*turned), rules, lone=lone)
    assert labels(again) == labels(first)
    for kind in ("stopped", "bridges", "thin"):
        one, other = ({tuple(sorted(e[place][:2])) for place in getattr(c, kind).tolist()}
                      for e, c in ((rows, first), (turned, again)))  # fmt: skip
        assert one == other and one, kind
    # the same records with others in between and before
    moved = [(3 * a + 7, 3 * b + 7, weight) for a, b, weight in rows]
    spread = constraints(
        1300,
        must=(3 * rules.must + 7).tolist(),
        cannot=(3 * rules.cannot + 7).tolist(),
        exclusive=[int(rules.exclusive[(n - 7) // 3]) if n % 3 == 1 and 7 <= n < 1207 else -1 for n in range(1300)],
        dead_from=[int(rules.dead_from[(n - 7) // 3]) if n % 3 == 1 and 7 <= n < 1207 else NEVER for n in range(1300)],
        begins=[int(rules.begins[(n - 7) // 3]) if n % 3 == 1 and 7 <= n < 1207 else -NEVER for n in range(1300)],
    )
    named = [f"record {(n - 7) // 3}" if n % 3 == 1 and 7 <= n < 1207 else f"other {n}" for n in range(1300)]
    alone = cluster(400, edges(*rows), rules, lone=lone, mark=marks(named[7:1207:3]))
    wide = cluster(1300, edges(*moved), spread, lone=lone, mark=marks(named)).labels[7:1207:3]
    assert np.unique(wide, return_inverse=True)[1].tolist() == labels(alone)


@pytest.mark.usefixtures("guessing")
def test_equals_are_parted_alike_though_a_record_beside_them_goes() -> None:
    """Of three alike, two of which may be one: which two they are does not hang on who else is in the component."""
    for trio in (("k", "m", "p"), ("a:1", "a:2", "b:3"), ("x", "y", "z")):
        names = ["0", *trio]
        alike = [(0, 1, 6.0), (1, 2, 6.0), (0, 2, -9.0)]
        without = cluster(3, edges(*alike), Constraints.none(3), mark=marks(trio), missing=-3)
        moved = [(a + 1, b + 1, weight) for a, b, weight in alike]
        apart = constraints(4, cannot=[(0, 1), (0, 2), (0, 3)])
        beside = cluster(4, edges((0, 1, 1.0), *moved), apart, mark=marks(names), missing=-3)
        assert [label - 1 for label in labels(beside)[1:]] == labels(without)


@pytest.mark.parametrize("as_well", [policy.FITS_AS_WELL, -2 * policy.WEIGHT_CAP])
def test_a_crowd_of_equals_is_parted_quickly(as_well: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every record looks like every other, and each source holds a person once: pairs off, however many they are."""
    monkeypatch.setattr(policy, "FITS_AS_WELL", as_well)
    rows = [(a, b, 6.0) for b in range(300) for a in range(b)]
    found = cluster(300, edges(*rows), constraints(300, exclusive=[n % 30 for n in range(300)]))
    assert np.bincount(found.labels).max() <= 30
    assert len(found.stopped) == len(np.bincount(found.labels)) * (len(np.bincount(found.labels)) - 1) // 2
