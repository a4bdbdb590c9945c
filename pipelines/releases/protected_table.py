"""Tables of counts made safe: small cells hidden, further ones so that nothing follows from totals, the rest rounded.

Totals and percentages are computed from what is shown, never from the truth. Method: OpenSAFELY and HES rules for the
cells; secondary suppression by cycles (a hidden cell of a two-way table follows from row and column totals exactly if
no cycle of hidden cells runs through it).
"""

import heapq
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

Cell = tuple[str, ...]


class Preset(BaseModel):
    """One rule of table_presets.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    hidden_below: int = Field(ge=1)
    round_to: int = Field(ge=1)
    midpoint: bool = False
    secondary: bool
    means: str

    def shown(self, count: int) -> int:
        """A count that may be shown, as it is shown."""
        if self.midpoint:
            return -(-count // self.round_to) * self.round_to - self.round_to // 2 * (count > 0)
        return (2 * count + self.round_to) // (2 * self.round_to) * self.round_to

    @property
    def rounds(self) -> bool:
        return self.round_to > 1

    @property
    def fits_questions(self) -> bool:
        """Whether it may protect answers to questions that anybody words: exact counts add up to one person's, and a
        rule that shows groups of any size lists who exists."""
        return self.rounds and self.hidden_below > 1


@cache
def presets() -> Mapping[str, Preset]:
    texts = yaml.safe_load((Path(__file__).parent / "table_presets.yaml").read_text(encoding="utf-8"))
    return {name: Preset(name=name, **text) for name, text in texts.items()}


@dataclass(frozen=True)
class ProtectedTable:
    """A table as it may be shown: a count by cell, None where it is hidden; totals of shown cells by part of a cell."""

    dims: tuple[str, ...]
    preset: Preset
    cells: Mapping[Cell, int | None]
    hidden: int
    hidden_second: int
    totals: Mapping[Cell, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(count for count in self.cells.values() if count is not None)

    def percent(self, cell: Cell) -> float | None:
        """Share of the shown total in per cent, to a place from 1,000 on; None where hidden, or of fewer than 100."""
        count = self.cells[cell]
        if count is None or self.total < 100:
            return None
        return round(100 * count / self.total, 1 if self.total >= 1000 else 0)


def protect(dims: tuple[str, ...], counts: Mapping[Cell, int], preset: Preset) -> ProtectedTable:
    """Protect true counts. A cell has one value of each dimension; one that is missing is zero."""
    small = {cell for cell, count in counts.items() if 0 < count < preset.hidden_below}
    hidden = set(small)
    if preset.secondary:
        hidden = _with_second(counts, small, len(dims))
    cells = {cell: None if cell in hidden else preset.shown(count) for cell, count in counts.items()}
    totals: dict[Cell, int] = {}
    for size in range(len(dims)):
        for kept in combinations(range(len(dims)), size):
            for cell, count in cells.items():
                part = tuple(cell[at] if at in kept else "" for at in range(len(dims)))
                totals[part] = totals.get(part, 0) + (count or 0)
    return ProtectedTable(dims, preset, cells, len(small), len(hidden - small), totals)


def follows_from_totals(hidden: Iterable[Cell], dims: int) -> set[Cell]:
    """The hidden cells whose count follows if every total of a line is known elsewhere.

    One-way: a cell hidden alone. Two-way: a bridge of the graph that has rows and columns as nodes and hidden cells as
    edges (a cell on a cycle can go up and down with its neighbours). More: alone in a line along any dimension.
    """
    cells = set(hidden)
    if dims == 1:
        return cells if len(cells) == 1 else set()
    if dims == 2:
        return _bridges({cell: ((0, cell[0]), (1, cell[1])) for cell in cells})
    alone = set()
    for along in range(dims):
        lines: dict[Cell, list[Cell]] = {}
        for cell in cells:
            lines.setdefault(cell[:along] + cell[along + 1 :], []).append(cell)
        alone |= {members[0] for members in lines.values() if len(members) == 1}
    return alone


def _with_second(counts: Mapping[Cell, int], small: set[Cell], dims: int) -> set[Cell]:
    """The small cells and, as long as one of them follows from totals, the smallest cells that stop that."""
    hidden, alone = set(small), set[Cell]()
    while exposed := (follows_from_totals(hidden, dims) & small) - alone:
        cell = min(exposed)
        found = _smallest_cover(counts, hidden, cell, dims)
        hidden |= found
        if not found:  # its line has nothing else that is not zero
            alone.add(cell)
    return hidden


def _smallest_cover(counts: Mapping[Cell, int], hidden: set[Cell], cell: Cell, dims: int) -> set[Cell]:
    """The cells of least count, none of them zero, that let `cell` vary; nothing where its line has no other."""
    free = {other: count for other, count in counts.items() if other not in hidden and count > 0}
    if dims != 2:
        lines = [
            [other for other in free if other[:at] + other[at + 1 :] == cell[:at] + cell[at + 1 :]]
            for at in range(dims)
            if not any(other != cell and other[:at] + other[at + 1 :] == cell[:at] + cell[at + 1 :] for other in hidden)
        ]
        return {min(line, key=lambda other: (free[other], other)) for line in lines if line}
    # a cycle through the cell: from its row to its column over hidden cells (free of cost) and others (their count)
    edges: dict[Hashable, list[tuple[Hashable, int, Cell]]] = {}
    for other in [*hidden - {cell}, *free]:
        row, column = (0, other[0]), (1, other[1])
        cost = 0 if other in hidden else free[other]
        edges.setdefault(row, []).append((column, cost, other))
        edges.setdefault(column, []).append((row, cost, other))
    path = _cheapest(edges, (0, cell[0]), (1, cell[1]))
    return {other for other in path if other not in hidden}


def _cheapest(edges: Mapping[Hashable, list[tuple[Hashable, int, Cell]]], start: Hashable, end: Hashable) -> list[Cell]:
    """Dijkstra's shortest path, as the cells on it; ties by name, so that a table is always protected alike."""
    queue: list[tuple[int, str, Hashable, tuple[Cell, ...]]] = [(0, repr(start), start, ())]
    done: set[Hashable] = set()
    while queue:
        cost, _, node, path = heapq.heappop(queue)
        if node == end:
            return list(path)
        if node in done:
            continue
        done.add(node)
        for other, more, cell in edges.get(node, []):
            if other not in done:
                heapq.heappush(queue, (cost + more, repr(other), other, (*path, cell)))
    return []


def _bridges(edges: Mapping[Cell, tuple[Hashable, Hashable]]) -> set[Cell]:
    """The edges of a graph that lie on no cycle (Tarjan, without recursion)."""
    beside: dict[Hashable, list[tuple[Hashable, Cell]]] = {}
    for cell, (one, other) in edges.items():
        beside.setdefault(one, []).append((other, cell))
        beside.setdefault(other, []).append((one, cell))
    number: dict[Hashable, int] = {}
    low: dict[Hashable, int] = {}
    found: set[Cell] = set()
    for root in beside:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack: list[tuple[Hashable, Cell | None, int]] = [(root, None, 0)]
        while stack:
            node, came, at = stack.pop()
            if at < len(beside[node]):
                stack.append((node, came, at + 1))
                other, cell = beside[node][at]
                if cell == came:
                    continue
                if other in number:
                    low[node] = min(low[node], number[other])
                else:
                    number[other] = low[other] = len(number)
                    stack.append((other, cell, 0))
            elif stack:
                parent = stack[-1][0]
                low[parent] = min(low[parent], low[node])
                if low[node] > number[parent] and came is not None:
                    found.add(came)
    return found
