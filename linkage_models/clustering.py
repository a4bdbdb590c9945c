"""Cluster scored pairs: connected components, then average-linkage merging with a penalty for missing pairs, under
constraints.

Groups merge, best first, while the mean weight over all pairs between them stays above the stop level; a pair that
was never
compared counts with the missing weight. The result depends on the order of the records only, never on the order of
rows.
"""

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from linkage_models import thresholds as policy

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Edges:
    """Scored pairs of records 0..n-1, each pair once, left < right; weights are log2 odds."""

    left: Ints
    right: Ints
    weight: Floats


@dataclass(frozen=True)
class Constraints:
    """What no score may overrule.

    `must`, `cannot`: decided pairs, shape (k, 2). `exclusive`: a code per record, at most one record of a code in a
    cluster,
    -1 for none. `dead_from`: day (any integer scale) from which the record's person is known dead, NEVER if not.
    `begins`: latest day on which the record's person did something only the living do, -NEVER if none.
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


@dataclass(frozen=True)
class Clustering:
    """`labels`: cluster of each record, numbered in order of their first record. `suspended`: indexes into `must`
    that a
    cannot-link contradicts. `stopped`: pairs of records (k, 2) whose merge a constraint forbade."""

    labels: Ints
    suspended: Ints
    stopped: Ints


def missing_weight(recall: float = policy.BLOCKING_RECALL) -> float:
    """Weight of a pair that was never compared: log2(1 - recall of blocking)."""
    return math.log2(1 - recall)


def cluster(
    records: int,
    edges: Edges,
    constraints: Constraints,
    *,
    stop: float = policy.CLUSTER_STOP,
    missing: float | None = None,
) -> Clustering:
    """Cluster `records` records. Raises ValueError if `stop` is at or below the missing weight: all would become
    one."""
    missing = missing_weight() if missing is None else missing
    if stop <= missing:
        raise ValueError(
            f"the stop level {stop:g} must lie above the weight of a missing pair {missing:g}, or everything merges"
        )
    order = np.lexsort((edges.right, edges.left))
    left, right = edges.left[order].astype(np.int64), edges.right[order].astype(np.int64)
    weight = np.clip(edges.weight[order], -policy.WEIGHT_CAP, policy.WEIGHT_CAP)
    group, suspended = _decided_groups(records, constraints)
    strong = weight > stop
    component = components(
        records,
        np.concatenate([left[strong], constraints.must[:, 0]]),
        np.concatenate([right[strong], constraints.must[:, 1]]),
    )
    hard = _hard_components(component, left, strong, constraints)
    labels = component.copy()
    apart = _kept_apart(constraints.cannot)
    stopped: list[tuple[int, int]] = []
    for members, inside in _by_component(component, hard, left, right):
        merger = _Merger(members, group, constraints, apart, missing, stop)
        merger.load(left[inside], right[inside], weight[inside])
        merger.run()
        labels[members] = merger.representatives()
        stopped.extend(merger.stopped)
    # an easy component is labelled by its first record too, so that all labels are record numbers
    easy = ~hard[component]
    labels[easy] = _first_member(component)[component[easy]]
    _, numbered = np.unique(labels, return_inverse=True)
    once = np.array(sorted(set(stopped)), dtype=np.int64).reshape(-1, 2)
    return Clustering(numbered.astype(np.int64), suspended, once)


def components(records: int, left: Ints, right: Ints) -> Ints:
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(records, records))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _kept_apart(cannot: Ints) -> dict[int, list[int]]:
    """Record -> records decided to be of other people."""
    apart: dict[int, list[int]] = {}
    for a, b in cannot.tolist():
        apart.setdefault(a, []).append(b)
        apart.setdefault(b, []).append(a)
    return apart


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


def _hard_components(
    component: Ints, left: Ints, strong: NDArray[np.bool_], constraints: Constraints
) -> NDArray[np.bool_]:
    """Components that need merging step by step. In the others every pair was compared, is above stop and is
    allowed."""
    count = int(component.max(initial=-1)) + 1
    size = np.bincount(component, minlength=count)
    agreeing = np.bincount(component[left[strong]], minlength=count)
    hard = agreeing < size * (size - 1) // 2
    coded = np.flatnonzero(constraints.exclusive >= 0)
    order = np.lexsort((constraints.exclusive[coded], component[coded]))
    place, code = component[coded][order], constraints.exclusive[coded][order]
    repeated = (place[1:] == place[:-1]) & (code[1:] == code[:-1])
    hard[place[1:][repeated]] = True
    for pairs in (constraints.cannot, constraints.must):
        same = component[pairs[:, 0]] == component[pairs[:, 1]]
        hard[component[pairs[same, 0]]] = True
    dead, begins = np.full(count, NEVER), np.full(count, -NEVER)
    np.minimum.at(dead, component, constraints.dead_from)
    np.maximum.at(begins, component, constraints.begins)
    hard[begins > dead] = True
    hard[size == 1] = False
    return hard


def _by_component(component: Ints, hard: NDArray[np.bool_], left: Ints, right: Ints):  # type: ignore[no-untyped-def]
    """(records, edge indexes) of each hard component, in order."""
    nodes = np.flatnonzero(hard[component])
    nodes = nodes[np.argsort(component[nodes], kind="stable")]
    inside = np.flatnonzero((component[left] == component[right]) & hard[component[left]])
    inside = inside[np.argsort(component[left[inside]], kind="stable")]
    names = np.flatnonzero(hard)
    node_ends = np.searchsorted(component[nodes], names, side="right")
    edge_ends = np.searchsorted(component[left[inside]], names, side="right")
    node_start = edge_start = 0
    for node_end, edge_end in zip(node_ends.tolist(), edge_ends.tolist(), strict=True):
        yield nodes[node_start:node_end], inside[edge_start:edge_end]
        node_start, edge_start = node_end, edge_end


class _Merger:
    """Average linkage inside one component. A group is named by its first record."""

    def __init__(
        self,
        members: Ints,
        group: Ints,
        constraints: Constraints,
        apart: dict[int, list[int]],
        missing: float,
        stop: float,
    ) -> None:
        self.members = members.tolist()
        self.missing, self.stop = missing, stop
        self.home = dict(zip(self.members, group[members].tolist(), strict=True))  # record -> group
        self.size: dict[int, int] = {}
        self.held: dict[int, list[int]] = {}
        self.codes: dict[int, set[int]] = {}
        self.dead: dict[int, int] = {}
        self.begins: dict[int, int] = {}
        self.banned: dict[int, set[int]] = {}
        self.stopped: list[tuple[int, int]] = []
        codes, dead, begins = (
            constraints.exclusive[members].tolist(),
            constraints.dead_from[members].tolist(),
            constraints.begins[members].tolist(),
        )
        for record, code, died, began in zip(self.members, codes, dead, begins, strict=True):
            name = self.home[record]
            self.size[name] = self.size.get(name, 0) + 1
            self.held.setdefault(name, []).append(record)
            self.codes.setdefault(name, set()).update({code} if code >= 0 else ())
            self.dead[name] = min(self.dead.get(name, NEVER), died)
            self.begins[name] = max(self.begins.get(name, -NEVER), began)
            self.banned.setdefault(name, set())
        for record in self.members:
            for other in apart.get(record, ()):
                if other in self.home:
                    self.banned[self.home[record]].add(self.home[other])

    def load(self, left: Ints, right: Ints, weight: Floats) -> None:
        """Sum the pairs between groups: sums[a][b] = [total weight, pairs compared]."""
        self.sums: dict[int, dict[int, list[float]]] = {name: {} for name in self.size}
        for a, b, w in zip(left.tolist(), right.tolist(), weight.tolist(), strict=True):
            a, b = self.home[a], self.home[b]
            if a != b:
                pair = self.sums[a].get(b)
                if pair is None:
                    self.sums[a][b] = self.sums[b][a] = [w, 1.0]
                else:
                    pair[0] += w
                    pair[1] += 1

    def _mean(self, a: int, b: int) -> float:
        total, compared = self.sums[a][b]
        every = self.size[a] * self.size[b]
        return (total + self.missing * (every - compared)) / every

    def _allowed(self, a: int, b: int) -> bool:
        return (
            b not in self.banned[a]
            and not (self.codes[a] & self.codes[b])
            and max(self.begins[a], self.begins[b]) <= min(self.dead[a], self.dead[b])
        )

    def run(self) -> None:
        heap: list[tuple[float, int, int, float, int]] = []
        for a, others in self.sums.items():
            for b in others:
                if a < b:
                    self._offer(heap, a, b)
        while heap:
            _, a, b, size_a, size_b = heapq.heappop(heap)
            if self.size.get(a) != size_a or self.size.get(b) != size_b:
                continue  # one of the two has changed since
            if not self._allowed(a, b):
                self.stopped.append((a, b))
                continue
            self._merge(a, b)
            for c in self.sums[a]:
                self._offer(heap, min(a, c), max(a, c))

    def _offer(self, heap: list[tuple[float, int, int, float, int]], a: int, b: int) -> None:
        mean = self._mean(a, b)
        if mean > self.stop:
            heapq.heappush(heap, (-mean, a, b, self.size[a], self.size[b]))

    def _merge(self, a: int, b: int) -> None:
        """Take group b into a (a < b)."""
        mine, theirs = self.sums[a], self.sums.pop(b)
        del mine[b], theirs[a]
        for c, (total, compared) in theirs.items():
            known = mine.get(c, [0.0, 0.0])
            joined = [known[0] + total, known[1] + compared]
            mine[c] = self.sums[c][a] = joined
            del self.sums[c][b]
        self.size[a] += self.size.pop(b)
        self.codes[a] |= self.codes.pop(b)
        self.dead[a] = min(self.dead[a], self.dead.pop(b))
        self.begins[a] = max(self.begins[a], self.begins.pop(b))
        for c in self.banned.pop(b):
            self.banned[c].discard(b)
            self.banned[c].add(a)
            self.banned[a].add(c)
        self.held[a].extend(self.held.pop(b))

    def representatives(self) -> Ints:
        """The first record of each member's group."""
        final = {record: name for name, records in self.held.items() for record in records}
        return np.array([final[record] for record in self.members], dtype=np.int64)
