"""Rules that hold an extract against those before it: what is filled, how values lie, what changed. All warn, but
that a table whose columns hold something else is refused."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipelines.quality.parts import CRITICAL, WARNING, parameter, table_rule
from pipelines.quality.profiles import Key, Profile, compared, measures_of, pooled
from pipelines.quality.thresholds import thresholds
from pipelines.sources.contracts import Column, Contract, Table
from quality_checks.drift import TRUE, Direction, DriftLimits, distance, drift, stalled
from quality_checks.principles import Dimension, Principle
from quality_checks.rules import Rule

#: What a measured share says when it drifts, and in which direction it is a fault.
_DIRECTIONS: dict[str, Direction] = {"filled": "down", "changed": "up", "gone": "up", "repeated": "up"}


def steady_table_rules(table: Table) -> Iterator[Rule]:
    """Of the table as a whole: the same keys, no row twice, and not standing still."""
    here, reliable = table.name, Principle.RELIABLE
    if len(table.kept) >= thresholds().misplaced_columns:
        says = f"The columns of {here} hold what they held in the last extracts: in fewer than "
        says += f"{thresholds().misplaced_columns} of them most values lie elsewhere."
        sql = parameter(here, "in_place")
        yield table_rule(table, "in_place", reliable, CRITICAL, says, "measured", sql=sql)
    if len(table.kept) > len(table.key) + 1:
        says = f"{here} holds no more rows that repeat another than in the last extracts."
        yield _rule(table, "repeated", reliable, says, dimension=Dimension.UNIQUENESS)
    if table.key:
        yield _rule(table, "gone", reliable, f"No more keys of {here} have gone since the last extract than usual.")
        says = f"{here} has changed since the last extract, as it usually does."
        yield _rule(table, "stalled", Principle.TIMELY, says)


def steady_column_rules(table: Table, column: Column) -> Iterator[Rule]:
    """Of one column: as filled as before, spread as before, and changed in no more rows than usual."""
    here, reliable = f"{table.name}.{column.staged}", Principle.RELIABLE
    if not column.required:
        yield _rule(table, "fill_drop", Principle.COMPLETE, f"{here} is as filled as in the last extracts.", column)
    yield _rule(table, "spread", reliable, f"The values of {here} lie as in the last extracts.", column)
    if column in compared(table):
        says = f"{here} differs from the last extract in no more rows than usual."
        yield _rule(table, "changed", reliable, says, column)


def steadiness(
    contract: Contract, now: Profile, earlier: Sequence[Profile], year_before: Sequence[Profile]
) -> dict[str, Any]:
    """For every rule of this room its SQL (rows, failures), or None where there is nothing to compare with.

    `earlier` are the profiles of the extracts before, the newest first; `year_before` those of the season a year ago.
    What moves with the year says nothing until a year is known, and then is fine where it is as lately or as then.
    """
    found: dict[str, Any] = {}
    for table in contract.tables:
        season = year_before if table.seasonal else ()

        def moved(name: str, column: str, measure: str, here: Table = table) -> tuple[int, int] | None:
            if name not in here.seasonal:
                return _moved(now, earlier, (here.name, column, measure))
            key = (here.name, column, measure)
            return _moved(now, earlier, key, year_before) if any(key in profile for profile in year_before) else None

        for name in ("repeated", "gone"):
            found[f"{table.name}.{name}"] = moved(name, "", name)
        found[f"{table.name}.in_place"] = _in_place(now, earlier, season, table)
        found[f"{table.name}.stalled"] = _stalled(now, earlier, table.name)
        for column in table.kept:
            found[f"{table.name}.{column.staged}.fill_drop"] = moved("filled", column.staged, "filled")
            found[f"{table.name}.{column.staged}.changed"] = moved("changed", column.staged, "changed")
            spread = [
                _least(moved("spread", column.staged, measure) for measure in group) for group in measures_of(column)
            ]
            found[f"{table.name}.{column.staged}.spread"] = max(filter(None, spread), key=lambda f: f[1], default=None)
    return {name: _counted(*counts) if counts else None for name, counts in found.items()}


def limits_of(measure: str) -> DriftLimits:
    """The drift rule's policy for a measure."""
    limits = thresholds()
    floor = limits.drift_floors[measure if measure in _DIRECTIONS else "spread"]
    return DriftLimits(floor, limits.drift_usual, limits.drift_deviations, limits.drift_nearest, limits.drift_history)


def _moved(
    now: Profile, earlier: Sequence[Profile], key: Key, season: Sequence[Profile] = ()
) -> tuple[int, int] | None:
    measure = key[2]
    if key not in now:
        return None
    before, then = ([profile[key] for profile in profiles if key in profile] for profiles in (earlier, season))
    move = drift(pooled(now[key]), before, limits_of(measure), _DIRECTIONS.get(measure, "any"), then)
    return (move.rows, move.failures) if move else None


def _in_place(
    now: Profile, earlier: Sequence[Profile], season: Sequence[Profile], table: Table
) -> tuple[int, int] | None:
    """Columns that can be compared, and those of which most values lie elsewhere, if they are too many at once."""
    limits = thresholds()
    near, furthest = [*earlier[: limits.drift_nearest], *season], list[float]()
    for column in table.kept:
        moves = []
        for group in (("filled",), *measures_of(column)):
            of_group = []
            for measure in group:
                here, *there = (pooled(p.get((table.name, column.staged, measure), {})) for p in (now, *near))
                there = [cells for cells in there if sum(cells.values()) >= limits.rows_slack]
                if there and sum(here.values()) >= limits.rows_slack:
                    of_group.append(min(distance(here, cells) for cells in there))
            moves += [min(of_group)] if of_group else []
        furthest += [max(moves)] if moves else []
    moved = sum(move > limits.misplaced_share for move in furthest)
    if len(furthest) < limits.misplaced_columns:
        return None
    return len(furthest), moved if moved >= limits.misplaced_columns else 0


def _stalled(now: Profile, earlier: Sequence[Profile], table: str) -> tuple[int, int] | None:
    key, limits = (table, "", "moved"), thresholds()
    if key not in now:
        return None
    usual = [profile[key].get(TRUE, 0) for profile in earlier if key in profile]
    told = stalled(now[key].get(TRUE, 0), usual, limits.stalled_least, limits.stalled_share, limits.drift_history)
    return None if told is None else (1, int(told))


def _least(moves: Iterable[tuple[int, int] | None]) -> tuple[int, int] | None:
    """The least failing one of what can be compared."""
    return min(filter(None, moves), key=lambda move: move[1], default=None)


def _counted(rows: int, failures: int) -> str:
    return f"SELECT {rows} AS rows, {failures} AS failures"


def _rule(
    table: Table,
    name: str,
    principle: Principle,
    says: str,
    column: Column | None = None,
    dimension: Dimension | None = None,
) -> Rule:
    place = (table.name, column.staged, name) if column else (table.name, name)
    staged = column.staged if column else None
    return table_rule(
        table, name, principle, WARNING, says, "measured", staged, dimension=dimension, sql=parameter(*place)
    )
