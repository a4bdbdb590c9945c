"""Cluster scored pairs: connected components, then average-linkage merging with a penalty for missing pairs, under
constraints.

Groups merge while the mean weight over all pairs between them stays above the stop level; a pair that was never
compared counts with the missing weight. Merging goes in rounds over all components at once: in each, every two groups
that are each other's best neighbour become one. For average linkage that gives what merging best first, one pair at a
time, gives (reciprocal nearest neighbours: Murtagh 1983), since no merge makes a third group more alike than its better
half was; a forbidden pair stays forbidden whatever joins it. A group that fits two others about equally well, which do
not fit each other, joins neither: to guess would make two people one. A record alone may be let into a group on less
evidence on average, if one of the group's records speaks for it: what is damaged in the one speaks against it in each
of its pairs. Weights are summed as whole numbers and equals are ordered by marks of the records, so what becomes of
some depends neither on the order of rows nor on what others there are.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from linkage_models import thresholds as policy
from linkage_models.bridges import bridges
from linkage_models.constraints import NEVER, Constraints
from linkage_models.marks import Marks
from linkage_models.merging import DECIDED, ONE_PER_SOURCE, STEPS, Merging, distinct
from linkage_models.stop_level import Joins

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Edges:
    """Scored pairs of records 0..n-1, each pair once; weights are log2 odds."""

    left: Ints
    right: Ints
    weight: Floats


@dataclass(frozen=True)
class Clustering:
    """`labels`: cluster of each record, numbered in order of their first record. `suspended`: indexes into `must` that
    a cannot-link contradicts.

    The rest is for review, as indexes into the edges. `stopped`: the strongest pair of two clusters that the evidence
    would join and something keeps apart, `stopped_by` says what: a constraint, or that one of them fits another cluster
    as well. Of groups of two records or more: `bridges`, the one pair that holds two together in a cluster; `thin`, the
    strongest pair of two that became one although hardly any evidence on average speaks for it.
    """

    labels: Ints
    suspended: Ints
    stopped: Ints
    stopped_by: Ints
    bridges: Ints
    thin: Ints
    joins: Joins


def missing_weight(recall: float = policy.BLOCKING_RECALL) -> float:
    """Weight of a pair that was never compared: log2(1 - recall of blocking). An estimate outside what is believable is
    taken at the bound, so that no estimate can bring the weight near the stop level."""
    least, most = policy.BLOCKING_RECALL_BOUNDS
    return math.log2(1 - min(max(recall, least), most))


def check_stop(stop: float, missing: float) -> None:
    """Raise ValueError if `stop` is at or below the missing weight, or no number: all would become one cluster."""
    if not stop > missing or not math.isfinite(stop):
        raise ValueError(
            f"the stop level {stop:g} must lie above the weight of a missing pair {missing:g}, or everything merges"
        )


def cluster(
    records: int,
    edges: Edges,
    constraints: Constraints,
    *,
    stop: float = policy.CLUSTER_STOP,
    lone: float = 0.0,
    missing: float | None = None,
    mark: Marks | Callable[[Ints], Marks] | None = None,
) -> Clustering:
    """Cluster `records` records. A record alone joins a group of two or more, of which one speaks for it, from `lone`
    bits below `stop` on, half way to the missing weight at most. `mark` is a number of each, the same whatever other
    records there are, or gives those of the records at some places: few need one. It orders pairs of equal weight, else
    their places do. Raises ValueError as check_stop does, and if a weight is no number."""
    missing = missing_weight() if missing is None else missing
    check_stop(stop, missing)
    lone = min(lone, (stop - missing) / 2)
    if np.isnan(edges.weight).any():
        raise ValueError("a match weight is not a number")
    # of all edges there may be many times more than of those that decide: no array of them more than is needed
    steps = np.clip(edges.weight, -policy.WEIGHT_CAP, policy.WEIGHT_CAP)
    np.rint(np.multiply(steps, STEPS, out=steps), out=steps)
    strong = steps > stop * STEPS
    group, suspended = _decided_groups(records, constraints)
    left, right = (each.astype(np.int64, copy=False) for each in (edges.left, edges.right))
    # two records of one code keep whatever groups they come into apart: no group grows by their pair
    joining = np.flatnonzero(strong)
    code = constraints.exclusive[left[joining]]
    forbidden = (code >= 0) & (code == constraints.exclusive[right[joining]])
    joining, forbidden = joining[~forbidden], joining[forbidden]
    component = components(
        records,
        np.concatenate([left[joining], constraints.must[:, 0]]),
        np.concatenate([right[joining], constraints.must[:, 1]]),
    )
    hard = _hard_components(component, left[joining], constraints)
    for ends in (left, right):
        hard[component[ends[forbidden]]] = True
    hard[np.bincount(component) == 1] = False
    # an easy component is one cluster, named by its first record as every group is
    named = np.where(hard[component], group, _first_member(component)[component])
    part = np.where(hard[component], component, -1).astype(np.int32)
    inside = np.flatnonzero((at := part[left]) == part[right])
    whole = joining[part[left[joining]] < 0]
    inside = inside[at[inside] >= 0]
    low, high = (of(left[inside], right[inside]) for of in (np.minimum, np.maximum))
    order = np.lexsort((high, low))
    inside, low, high = inside[order], low[order], high[order]
    marked = np.arange(records, dtype=np.uint64)
    merged = np.flatnonzero(hard[component])
    if mark is not None:
        marked[merged] = mark(merged) if callable(mark) else mark[merged]
    levels = np.array([stop * STEPS, lone * STEPS, round(missing * STEPS)])
    merging = Merging(named, component, merged, constraints, levels, marked)
    merging.run(low, high, steps[inside].astype(np.int64))
    names = merging.names()
    numbered = (np.cumsum(names == np.arange(records)) - 1)[names]
    stopped, stopped_by, thin = merging.for_review()
    joins = merging.joins(steps[whole])
    forbidden = forbidden[component[left[forbidden]] != component[right[forbidden]]]
    apart, apart_by = _kept_apart_whole(merging, names, left, right, steps, forbidden)
    stopped, stopped_by = (np.concatenate(both) for both in ((inside[stopped], apart), (stopped_by, apart_by)))
    order = np.argsort(stopped, kind="stable")
    holding = np.flatnonzero(strong[inside] & (numbered[low] == numbered[high]))
    held = inside[holding[bridges(numbered, low[holding], high[holding])]]
    return Clustering(numbered, suspended, stopped[order], stopped_by[order], held, inside[thin], joins)


def components(records: int, left: Ints, right: Ints) -> Ints:
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(records, records))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _first_member(component: Ints) -> Ints:
    first = np.full(component.max(initial=-1) + 1, NEVER)
    np.minimum.at(first, component, np.arange(len(component)))
    return first


def _decided_groups(records: int, constraints: Constraints) -> tuple[Ints, Ints]:
    """Records joined by must-links share a group; must-links of a group that holds a cannot-link are suspended."""
    must, cannot = constraints.must, constraints.cannot
    if not len(must):
        return np.arange(records), np.empty(0, dtype=np.int64)
    group = components(records, must[:, 0], must[:, 1])
    broken = np.unique(group[cannot[:, 0]][group[cannot[:, 0]] == group[cannot[:, 1]]])
    suspended = np.flatnonzero(np.isin(group[must[:, 0]], broken))
    kept = np.delete(must, suspended, axis=0)
    return _first_member(g := components(records, kept[:, 0], kept[:, 1]))[g], suspended


def _hard_components(component: Ints, agreeing: Ints, constraints: Constraints) -> Bools:
    """Components that need merging step by step. In the others every pair was compared, is above stop and is allowed.

    `agreeing`: one record of each pair above stop.
    """
    count = int(component.max(initial=-1)) + 1
    size = np.bincount(component, minlength=count)
    hard = np.bincount(component[agreeing], minlength=count) < size * (size - 1) // 2
    coded, codes = np.flatnonzero(constraints.exclusive >= 0), int(constraints.exclusive.max(initial=-1)) + 1
    held = np.sort(component[coded] * codes + constraints.exclusive[coded])
    hard[held[1:][held[1:] == held[:-1]] // max(codes, 1)] = True
    for pairs in (constraints.cannot, constraints.must):
        same = component[pairs[:, 0]] == component[pairs[:, 1]]
        hard[component[pairs[same, 0]]] = True
    dead, begins = np.full(count, NEVER), np.full(count, -NEVER)
    died = np.flatnonzero(constraints.dead_from < NEVER)  # few, so that what follows is quick
    np.minimum.at(dead, component[died], constraints.dead_from[died])
    of_dead = np.flatnonzero(dead[component] < NEVER)
    np.maximum.at(begins, component[of_dead], constraints.begins[of_dead])
    hard[begins > dead] = True
    hard[size == 1] = False
    return hard


def _kept_apart_whole(
    merging: Merging, names: Ints, left: Ints, right: Ints, steps: Floats, forbidden: Ints
) -> tuple[Ints, Ints]:
    """Of the pairs of groups that a forbidden pair lies between, in no component together, those that the evidence
    would join: their strongest edge, and what keeps them apart."""
    alone = (merging.size[names[left[forbidden]]] == 1) & (merging.size[names[right[forbidden]]] == 1)
    records = len(names)

    def between(chosen: Ints | slice) -> Ints:
        one, other = names[left[chosen]], names[right[chosen]]
        return np.minimum(one, other) * records + np.maximum(one, other)

    # two records by themselves have this edge alone; what else lies between two groups speaks for or against them
    lone, asked = forbidden[alone], distinct(between(forbidden[~alone]))
    every = lone[:0]
    if len(asked):
        key = between(slice(None))
        at = np.minimum(np.searchsorted(asked, key), len(asked) - 1)
        every = np.flatnonzero(asked[at] == key)
    strongest = merging.wanted_apart(names[left[every]], names[right[every]], steps[every].astype(np.int64))
    found = np.concatenate([lone, every[strongest]])
    decided = np.isin(between(found), merging.decided_apart())
    return found, np.where(decided, DECIDED, ONE_PER_SOURCE)
