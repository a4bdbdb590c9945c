"""The rounds of average linkage: which groups become one, which the evidence would join and something keeps apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage_models import thresholds as policy
from linkage_models.constraints import NEVER, Constraints
from linkage_models.marks import Marks, mixed
from linkage_models.stop_level import Joins

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# Weights are held in steps of 2^-20 bit: exact sums whatever their order, far below what a weight can mean.
STEPS = 2.0**20
# A mean weight in steps, at most WEIGHT_CAP in size, takes fewer bits than this.
_BITS = 27
# What kept two clusters apart, by its place in Clustering.stopped_by.
DECIDED, ONE_PER_SOURCE, DEAD, FITS_TWO = range(4)


@dataclass(frozen=True)
class Pairs:
    """Pairs of groups with a scored pair between them: a < b, each named by its first record.

    `total`: sum of weights, in steps. `compared`: how many pairs of records were scored. `strongest`: the one of most
    weight.
    """

    a: Ints
    b: Ints
    total: Ints
    compared: Ints
    strongest: Ints

    def __getitem__(self, chosen: Ints | Bools) -> "Pairs":
        return Pairs(*(column[chosen] for column in vars(self).values()))

    def __len__(self) -> int:
        return len(self.a)


class Merging:
    """Average linkage in rounds over all components at once. A group is named by its first record. `merged` are the
    records of hard components; `levels` are stop, lone and missing, in steps."""

    def __init__(
        self, named: Ints, component: Ints, merged: Ints, constraints: Constraints, levels: Floats, mark: Marks
    ) -> None:
        records = len(named)
        self.named, self.component, self.mark = named, component, mark
        self.stop, self.lone, self.missing = levels
        self.into = np.arange(records)  # group -> the group that took it in
        self.size = np.bincount(named, minlength=records)
        self.dead, self.begins = np.full(records, NEVER), np.full(records, -NEVER)
        np.minimum.at(self.dead, named[merged], constraints.dead_from[merged])
        np.maximum.at(self.begins, named[merged], constraints.begins[merged])
        self.cannot = np.sort(named[constraints.cannot], axis=1)
        self.code_count = int(constraints.exclusive.max(initial=-1)) + 1
        coded = merged[constraints.exclusive[merged] >= 0]
        self.codes = distinct(named[coded] * self.code_count + constraints.exclusive[coded])
        self.stopped: list[tuple[Ints, Ints]] = []
        self.thin: list[Ints] = []
        self.joined: list[tuple[Floats, Floats, Ints]] = []

    def run(self, left: Ints, right: Ints, weight: Ints) -> None:
        """Merge until no pair of groups may and wants to. The scored pairs, each once, are ordered by their records."""
        self.weight = weight
        pairs = self._joined(Pairs(left, right, weight, np.ones_like(left), np.arange(len(left))), True)
        while len(pairs):
            every, mean, upto = self._looked_at(pairs)
            wanted = np.flatnonzero(upto > self.stop)
            kept_apart = self._kept_apart(pairs[wanted])
            allowed = np.flatnonzero(kept_apart < 0)
            kept_apart[allowed[self._fits_two(pairs, mean, wanted[allowed])]] = FITS_TWO
            free = wanted[kept_apart < 0]
            active = np.zeros(len(self.named), dtype=bool)
            active[self.component[pairs.a[free]]] = True
            going = active[self.component[pairs.a]]
            over = ~going[wanted]
            self.stopped.append((pairs.strongest[wanted[over]], kept_apart[over]))
            best = self._each_others_best(pairs, mean, free)
            self._note_thin(pairs[best], mean[best])
            self.joined.append((mean[best], upto[best], every[best]))
            self._merge(pairs.a[best], pairs.b[best])
            pairs = self._joined(pairs[going], False)

    def wanted_apart(self, left: Ints, right: Ints, weight: Ints) -> Ints:
        """Of pairs between groups as they are now, the strongest of every two groups that the evidence would join, by
        its place."""
        self.weight, self.into = weight, np.arange(len(self.named))
        pairs = self._joined(Pairs(left, right, weight, np.ones_like(left), np.arange(len(left))), False)
        return pairs.strongest[self._looked_at(pairs)[2] > self.stop]

    def _looked_at(self, pairs: Pairs) -> tuple[Ints, Floats, Floats]:
        """Of each pair of groups how many pairs of records it has, their mean weight, and up to which stop level the
        evidence would join the two."""
        every = self.size[pairs.a] * self.size[pairs.b]
        mean = (pairs.total + self.missing * (every - pairs.compared)) / every
        sizes = np.stack([self.size[pairs.a], self.size[pairs.b]])
        alone = (sizes.min(axis=0) == 1) & (sizes.max(axis=0) > 1)
        upto = np.where(alone, np.maximum(np.minimum(mean + self.lone, self.weight[pairs.strongest]), mean), mean)
        return every, mean, upto

    def names(self) -> Ints:
        """The group of each record."""
        into = self.into
        while not np.array_equal(further := into[into], into):
            into = further
        return into[self.named]

    def for_review(self) -> tuple[Ints, Ints, Ints]:
        """Scored pairs: stopped, what stopped each, thin."""
        none = np.empty(0, dtype=np.int64)
        stopped = np.concatenate([none, *(pair for pair, _ in self.stopped)])
        why = np.concatenate([none, *(reason for _, reason in self.stopped)])
        order = np.argsort(stopped, kind="stable")
        return stopped[order], why[order], np.sort(np.concatenate([none, *self.thin]))

    def joins(self, whole: Floats) -> Joins:
        """Of what was merged, and of the pairs of components that needed no merging (`whole`, in steps)."""
        mean, upto, pairs = zip((whole, whole, np.ones(len(whole), dtype=np.int64)), *self.joined, strict=True)
        return Joins(np.concatenate(mean) / STEPS, np.concatenate(upto) / STEPS, np.concatenate(pairs))

    def _kept_apart(self, pairs: Pairs) -> Ints:
        """What forbids each pair, -1 if nothing does."""
        a, b = pairs.a, pairs.b
        why = np.full(len(pairs), -1)
        why[(self.begins[a] > self.dead[b]) | (self.begins[b] > self.dead[a])] = DEAD
        if len(self.codes):
            first, end = (np.searchsorted(self.codes, side * self.code_count) for side in (a, a + 1))
            held = end - first
            which = np.repeat(np.arange(len(pairs)), held)
            within = np.arange(len(which)) - np.repeat(np.cumsum(held) - held, held)
            code = self.codes[first[which] + within] - a[which] * self.code_count
            sought = b[which] * self.code_count + code
            at = np.minimum(np.searchsorted(self.codes, sought), len(self.codes) - 1)
            why[which[self.codes[at] == sought]] = ONE_PER_SOURCE
        if len(self.cannot):
            why[np.isin(a * len(self.named) + b, self.decided_apart())] = DECIDED
        return why

    def decided_apart(self) -> Ints:
        """The pairs of groups that decisions keep apart, each as one number."""
        return self.cannot[:, 0] * len(self.named) + self.cannot[:, 1]

    def _fits_two(self, pairs: Pairs, mean: Floats, allowed: Ints) -> Bools:
        """Of each allowed pair, whether one of its groups fits a third about as well or better, which could then not
        join the two. The pairs are ordered by their groups."""
        group = np.concatenate([pairs.a[allowed], pairs.b[allowed]])
        other = np.concatenate([pairs.b[allowed], pairs.a[allowed]])
        fit = np.tile(np.rint(mean[allowed]).astype(np.int64), 2)
        # by group, best fit first: what fits as well is the beginning of the group's part
        rank = (group << _BITS) - fit
        order = np.argsort(rank, kind="stable")
        group, other, fit, rank = group[order], other[order], fit[order], rank[order]
        first = np.searchsorted(group, group)
        rivals = np.searchsorted(rank, rank + round(policy.FITS_AS_WELL * STEPS), side="right") - first
        rivals = np.minimum(rivals, policy.RIVALS_LOOKED_AT)
        one = np.repeat(np.arange(len(group)), rivals)
        two = first[one] + np.arange(len(one)) - np.repeat(np.cumsum(rivals) - rivals, rivals)
        one, two = one[one != two], two[one != two]
        low, high = np.minimum(other[one], other[two]), np.maximum(other[one], other[two])
        known = pairs.a * len(self.named) + pairs.b
        sought = low * len(self.named) + high
        at = np.minimum(np.searchsorted(known, sought), len(known) - 1)
        between = np.where(known[at] == sought, mean[at], self.missing)
        size, beside = self.size[group[one]], self.size[other[one]]
        left_out = (size * fit[two] + beside * between) / (size + beside) <= self.stop
        left_out |= self._kept_apart(Pairs(low, high, low, low, low)) >= 0
        fits_two = np.zeros(2 * len(allowed), dtype=bool)
        fits_two[order[one[left_out]]] = True
        return fits_two[: len(allowed)] | fits_two[len(allowed) :]

    def _each_others_best(self, pairs: Pairs, mean: Floats, free: Ints) -> Ints:
        """The free pairs whose two groups have no better neighbour than each other."""
        a, b = pairs.a[free], pairs.b[free]
        # equal means are ordered by a hash of both marks, so that a crowd of equals pairs off instead of queueing up
        order = np.lexsort((mixed(mixed(self.mark[a]) + self.mark[b]), -mean[free]))
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        best = np.full(len(self.named), NEVER)
        np.minimum.at(best, a, rank)
        np.minimum.at(best, b, rank)
        return free[(best[a] == rank) & (best[b] == rank)]

    def _note_thin(self, merged: Pairs, mean: Floats) -> None:
        groups = np.minimum(self.size[merged.a], self.size[merged.b]) > 1
        self.thin.append(merged.strongest[groups & (mean < policy.THIN_EVIDENCE * STEPS)])

    def _merge(self, a: Ints, b: Ints) -> None:
        """Take each group of b into that of a (a < b)."""
        self.into[b] = a
        self.size[a] += self.size[b]
        self.dead[a] = np.minimum(self.dead[a], self.dead[b])
        self.begins[a] = np.maximum(self.begins[a], self.begins[b])
        self.cannot = np.sort(self.into[self.cannot], axis=1)
        if len(self.codes):
            group, code = np.divmod(self.codes, self.code_count)
            self.codes = distinct(self.into[group] * self.code_count + code)

    def _joined(self, pairs: Pairs, at_first: bool) -> Pairs:
        """The pairs between the groups as they are now; those that fell together are summed."""
        names = self.named if at_first else self.into
        a, b = names[pairs.a], names[pairs.b]
        a, b = np.minimum(a, b), np.maximum(a, b)
        apart = np.flatnonzero(a != b)
        strength = -self.weight[pairs.strongest[apart]]
        order = apart[np.lexsort((pairs.strongest[apart], strength, b[apart], a[apart]))]
        if not len(order):
            return pairs[order]
        a, b, pairs = a[order], b[order], pairs[order]
        first = np.flatnonzero(np.concatenate([[True], (a[1:] != a[:-1]) | (b[1:] != b[:-1])]))
        total, compared = (np.add.reduceat(column, first) for column in (pairs.total, pairs.compared))
        return Pairs(a[first], b[first], total, compared, pairs.strongest[first])


def distinct(numbers: Ints) -> Ints:
    """The distinct numbers in order (numpy's own `unique` hashes before it sorts, which takes ten times as long)."""
    ordered = np.sort(numbers)
    return ordered[np.concatenate([ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]])]
