"""Paths: what the recipient of a series sees of a person over its releases, and which links may stand.

A path is the quasi-identifiers in every kept release and now. Whoever knows where somebody lived then and lives now
finds the one row with that path, however large the groups of each release are. Leaving and coming are paths too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

import polars as pl

from pipelines.releases.sets import ReleaseSet

SAME = "same"
#: A value that was left out (rare_values.py): what it is stays open.
NOT_TOLD = str(None)


@dataclass(frozen=True)
class Trace:
    """One pseudonym: its quasi-identifiers by release (None where it is not in it), and all its sensitive values."""

    path: tuple[Any, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """What the recipient can follow: an old pseudonym to a row of now, as the same or by the table of supersession."""

    old: str
    now: str
    event: str = SAME


def traces(asked: ReleaseSet, releases: Sequence[tuple[Sequence[str], pl.DataFrame]]) -> dict[str, Trace]:
    """The trace of each name over releases, oldest first; names stand in the order of the rows."""
    steps: dict[str, list[Any]] = {}
    for at, (names, rows) in enumerate(releases):
        for name, row in zip(names, rows.iter_rows(named=True), strict=True):
            path = tuple(row.get(column) for column in asked.quasi)
            values = tuple(str(row.get(column)) for column in asked.of_kind("sensitive"))
            steps.setdefault(name, [None] * len(releases))[at] = (path, values)
    return {
        name: Trace(tuple(s and s[0] for s in seen), tuple(value for s in seen if s for value in s[1]))
        for name, seen in steps.items()
    }


@dataclass(frozen=True)
class Paths:
    """Two sides of a series, as the recipient has them: all pseudonyms so far, and the rows of now.

    `k` rows at least share a path, with `l` values of each sensitive column at each time.
    """

    old: Mapping[str, Trace]
    now: Mapping[str, Trace]
    k: int
    l: int  # noqa: E741 - its name in the field

    def that_may_stand(self, links: Iterable[Link]) -> set[Link]:
        """The links left after cutting every path that too few share, and then as many others, drawn at random, as
        leave each group of those who go and of those who come large enough: none can be paired with its old self."""
        standing = set(links)
        while cut := self._to_cut(standing):
            standing -= cut
        return standing

    def smallest(self, links: set[Link]) -> int | None:
        """Rows of the smallest path; None where nothing can be followed, as in the first release of a series."""
        found = [_size(each) for each in self._followed(links).values()]
        for side in ("old", "now"):
            found += [len(values) for _, values, followed in self._loose(links, side) if followed]
        return min(found, default=None)

    def are_shared(self, links: set[Link]) -> bool:
        """Whether every path is shared by enough."""
        return not self._to_cut(links)

    def _followed(self, links: Iterable[Link]) -> dict[Any, list[Link]]:
        found = defaultdict(list)
        for link in links:
            found[self.old[link.old].path, self.now[link.now].path].append(link)
        return found

    def _loose(self, links: set[Link], side: str) -> Iterator[tuple[Any, list[tuple[str, ...]], list[list[Link]]]]:
        """By path of one side: the values of those without a link, and the links of the others, by whole path. Without
        others, nothing is told that the releases don't tell each alone."""
        linked, loose, followed = {getattr(link, side) for link in links}, defaultdict(list), defaultdict(list)
        for (old, now), members in self._followed(links).items():
            followed[old if side == "old" else now].append(members)
        for name, trace in getattr(self, side).items():
            if name not in linked:
                loose[trace.path].append(trace.values)
        for path, values in loose.items():
            yield path, values, followed.get(path, [])

    def _enough(self, size: int, values: list[tuple[str, ...]]) -> bool:
        columns = [set(column) for column in zip(*values, strict=True)]
        return size >= self.k and (self.l == 1 or all(len(told) >= self.l or NOT_TOLD in told for told in columns))

    def _to_cut(self, links: set[Link]) -> set[Link]:
        cut: set[Link] = set()
        told = {name for x in links if x.event != SAME for name in (x.old, x.now)}
        for members in self._followed(links).values():
            if not self._enough(_size(members), [self.old[x.old].values + self.now[x.now].values for x in members]):
                cut.update(members)
        for side in ("old", "now"):
            if cut:
                break
            for _, values, followed in self._loose(links, side):
                if followed and not self._enough(len(values), values):
                    cut.update(self._drawn(max(followed, key=len), self.k - len(values), told))
        olds, nows = ({getattr(x, side) for x in cut if x.event == SAME} for side in ("old", "now"))
        return cut | {x for x in links if x.event != SAME and (x.old in olds or x.now in nows)}

    def _drawn(self, members: list[Link], missing: int, told: set[str]) -> list[Link]:
        """As many as are missing, whole paths where too few would stay; those of the table of supersession last."""
        need = missing if missing > 0 else self.k
        if len(members) - need < self.k:
            return members
        plain = [x for x in members if not {x.old, x.now} & told]
        return SystemRandom().sample(plain if len(plain) >= need else members, need)


def _size(members: list[Link]) -> int:
    return min(len({x.old for x in members}), len({x.now for x in members}))
