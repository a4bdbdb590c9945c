"""Bridges: the pairs without which a cluster would fall into two groups of records."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = NDArray[np.int64]
FEWEST = 2  # records on either side: one record that hangs by one pair is the ordinary case, no bridge


def bridges(labels: Ints, left: Ints, right: Ints) -> Ints:
    """Indexes of the pairs (left, right), each of one cluster, whose removal parts it into groups of two or more.

    `labels` is the cluster of each record; the pairs are those that speak for it. A bridge lies in no triangle, which
    leaves few to try: of each cluster one at a time is taken out.
    """
    large = np.flatnonzero(np.bincount(labels)[labels[left]] >= 2 * FEWEST)
    left, right = left[large], right[large]
    if not len(left):
        return large
    nodes, ends = np.unique(np.concatenate([left, right]), return_inverse=True)
    a, b = ends[: len(left)], ends[len(left) :]
    shape = (len(nodes), len(nodes))
    ones = np.ones(len(a), dtype=np.int32)
    near = (graph := coo_array((ones, (a, b)), shape=shape).tocsr()) + graph.T
    lonely = np.asarray((near @ near)[a, b]).ravel() == 0
    degree = np.asarray(near.sum(axis=0)).ravel()
    tried = np.flatnonzero(lonely & (np.minimum(degree[a], degree[b]) > 1))
    tried = tried[np.argsort(labels[left[tried]], kind="stable")]
    of = labels[left[tried]]
    turn = np.arange(len(tried)) - np.searchsorted(of, of)
    concerned = np.isin(labels[left], of)
    found = []
    for now in range(int(turn.max(initial=-1)) + 1):
        out = tried[turn == now]
        kept = concerned.copy()
        kept[out] = False
        part = connected_components(coo_array((ones[kept], (a[kept], b[kept])), shape=shape), directed=False)[1]
        size = np.bincount(part)
        parted = (part[a[out]] != part[b[out]]) & (np.minimum(size[part[a[out]]], size[part[b[out]]]) >= FEWEST)
        found.append(out[parted])
    return np.sort(large[np.concatenate([np.empty(0, dtype=np.int64), *found])])
