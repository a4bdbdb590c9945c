"""Tables of counts: nothing small is shown, nothing hidden follows from totals, totals are of what is shown."""

import itertools
from collections.abc import Mapping

import numpy as np
import pytest

from pipelines.releases.protected_table import Cell, ProtectedTable, follows_from_totals, presets, protect


@pytest.mark.parametrize(
    ("preset", "counts", "shown"),
    [
        ("opensafely", [0, 1, 7, 8, 12, 13, 103], [0, None, None, 10, 10, 15, 105]),
        ("hes2018", [0, 1, 7, 8, 12, 13, 103], [0, None, None, 10, 10, 15, 105]),
        ("sacro", [0, 1, 9, 10, 12, 13, 103], [0, None, None, 10, 12, 13, 103]),
        ("k10", [0, 1, 9, 10, 12, 13, 103], [0, None, None, 10, 10, 15, 105]),
        ("midpoint6", [0, 1, 6, 7, 12, 13, 103], [0, 3, 3, 9, 9, 15, 105]),
    ],
)
def test_each_rule_shows_what_it_says(preset: str, counts: list[int], shown: list[int | None]) -> None:
    cells = {(str(at),): count for at, count in enumerate(counts)}
    assert [protect(("d",), cells, presets()[preset]).cells[(str(at),)] for at in range(len(counts))] == shown


def test_a_cell_hidden_alone_takes_the_smallest_beside_it_along() -> None:
    table = protect(("d",), {("a",): 3, ("b",): 50, ("c",): 20, ("z",): 0}, presets()["sacro"])
    assert table.cells == {("a",): None, ("b",): 50, ("c",): None, ("z",): 0}
    assert (table.hidden, table.hidden_second, table.total) == (1, 1, 50)


def test_in_two_ways_a_cycle_of_hidden_cells_protects_and_pairs_in_each_line_alone_do_not() -> None:
    grid = dict.fromkeys(itertools.product("abcdef", "uvwxyz"), 40)
    one = protect(("r", "c"), grid | {("a", "u"): 2}, presets()["sacro"])
    assert sum(count is None for count in one.cells.values()) == 4  # a rectangle
    # two rectangles joined by one cell: each line has two hidden or more, yet the joining cell follows
    two = {(r, c) for r, c in itertools.product("ab", "uv")} | {(r, c) for r, c in itertools.product("de", "xy")}
    assert follows_from_totals(two | {("a", "x")}, 2) == {("a", "x")}
    assert follows_from_totals(two, 2) == set()


def test_totals_and_percentages_are_of_what_is_shown() -> None:
    table = protect(
        ("r", "c"), {("a", "u"): 1001, ("a", "v"): 3, ("b", "u"): 12, ("b", "v"): 400}, presets()["opensafely"]
    )
    assert table.total == sum(count or 0 for count in table.cells.values())
    assert table.totals[("a", "")] == sum(count or 0 for cell, count in table.cells.items() if cell[0] == "a")
    assert table.percent(("a", "v")) is None
    small = protect(("d",), {("a",): 30, ("b",): 40}, presets()["k10"])
    assert small.percent(("a",)) is None  # of 70 no percentage is told


def random_table(rng: np.random.Generator) -> tuple[int, dict[Cell, int]]:
    dims = int(rng.integers(1, 4))
    sizes = rng.integers(2, 6, size=dims)
    scale = float(rng.choice([2, 8, 30, 200]))
    counts = {
        tuple(map(str, at)): int(rng.poisson(rng.gamma(0.7, scale))) for at in itertools.product(*map(range, sizes))
    }
    return dims, counts


def violations(dims: int, counts: Mapping[Cell, int], table: ProtectedTable) -> list[str]:
    """What a reader could hold against a protected table; by another way than the protection's own."""
    rule, found = table.preset, []
    shown = {cell: count for cell, count in table.cells.items() if count is not None}
    if any(0 < counts[cell] < rule.hidden_below for cell in shown):
        found.append("a small count is shown")
    if rule.rounds and not rule.midpoint and any(count % rule.round_to for count in shown.values()):
        found.append("a count is not rounded")
    for part, total in table.totals.items():
        if total != sum(c for cell, c in shown.items() if all(p in ("", v) for p, v in zip(part, cell, strict=True))):
            found.append("a total is not that of the shown cells")
    if rule.secondary and dims <= 2:
        found += ["a small count follows from totals"] * len(told_by_totals(dims, counts, table))
    return found


def told_by_totals(dims: int, counts: Mapping[Cell, int], table: ProtectedTable) -> set[Cell]:
    """Small hidden cells that linear algebra fixes from every line's true total, where another cell could vary too."""
    hidden = [cell for cell, count in table.cells.items() if count is None]
    if not hidden:
        return set()
    lines = sorted({(at, cell[:at] + cell[at + 1 :]) for cell in hidden for at in range(dims)})
    system = np.array([[float(cell[:at] + cell[at + 1 :] == rest) for cell in hidden] for at, rest in lines])
    rank = np.linalg.matrix_rank(system)
    fixed = {
        cell
        for place, cell in enumerate(hidden)
        if np.linalg.matrix_rank(np.vstack([system, np.eye(len(hidden))[place]])) == rank
    }
    small = {cell for cell in fixed if 0 < counts[cell] < table.preset.hidden_below}
    return {cell for cell in small if could_be_helped(dims, counts, cell)}


def could_be_helped(dims: int, counts: Mapping[Cell, int], cell: Cell) -> bool:
    """Whether the cell lies on a cycle of cells that are not zero; else no hiding beside it could help."""
    full = {other for other, count in counts.items() if count > 0} | {cell}
    return cell not in follows_from_totals(full, dims)


def prove_tables(number: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for nr in range(number):
        dims, counts = random_table(rng)
        for rule in presets().values():
            table = protect(tuple(f"d{at}" for at in range(dims)), counts, rule)
            assert violations(dims, counts, table) == [], (nr, rule.name)
            assert protect(table.dims, counts, rule).cells == table.cells


def test_random_tables_are_safe_under_every_rule() -> None:
    prove_tables(150, seed=3)


@pytest.mark.prove
def test_ten_thousand_random_tables_are_safe_under_every_rule() -> None:
    prove_tables(10_000, seed=4)


def test_the_judge_finds_a_table_without_secondary_suppression() -> None:
    counts = dict.fromkeys(itertools.product("abc", "uvw"), 40) | {("a", "u"): 2}
    bad = protect(("r", "c"), counts, presets()["sacro"].model_copy(update={"secondary": False}))
    judged = ProtectedTable(bad.dims, presets()["sacro"], bad.cells, 1, 0, bad.totals)
    assert violations(2, counts, judged) == ["a small count follows from totals"]
