"""Whether two tables, subtracted, give away a small group: whatever each counts by, and whether people or homes.

What is told of each earlier table is counts by cell; who is in a cell is looked up only where two counts are near.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property

import polars as pl

from pipelines.releases.protected_table import Cell, Preset, protect
from pipelines.releases.question import Question
from pipelines.warehouse import Warehouse

#: One value for each thing counted by; None for one that is summed over.
Part = tuple[str | None, ...]
#: Places of what a part names; what is at the others is summed over.
Level = tuple[int, ...]
_HOME = "attributes.attributes.person"


class Counted:
    """A table's members, which lie in the temporary table `name`, as it counts them. Of an older table the rule may
    not be known."""

    def __init__(self, wh: Warehouse, name: str, question: Question, rule: Preset | None) -> None:
        self.wh, self.name, self.question, self.rule = wh, name, question, rule
        self._counts: dict[tuple[Level, int | None], dict[Part, int]] = {}

    @property
    def every(self) -> Level:
        return tuple(range(len(self.question.dims)))

    @cached_property
    def _once(self) -> bool:
        """Whether nobody is in two cells."""
        return bool(self.wh.scalar(f"SELECT count(*) = count(DISTINCT unit) FROM {self.name}"))

    @cached_property
    def finest(self) -> dict[Part, int]:
        return self._asked(self.every, "count(*)", self.name)  # its rows are distinct

    def counts(self, level: Level, as_homes: bool, least: int) -> Mapping[Part, int]:
        """How many each part of a level counts. As homes, people are held by their own: those parts in which hardly
        two share one."""
        apart = least if as_homes and self.question.base == "person_id" else None
        if (level, apart) not in self._counts:
            self._counts[level, apart] = self._of_homes(level, apart) if apart else self._of_units(level)
        return self._counts[level, apart]

    def _of_homes(self, level: Level, least: int) -> dict[Part, int]:
        apart = f" HAVING count(DISTINCT unit) - count(DISTINCT household_id) < {least}"
        return self._asked(level, "count(DISTINCT household_id)", self._homes, apart)

    def _of_units(self, level: Level) -> dict[Part, int]:
        if level == self.every:
            return self.finest
        if not self._once:
            return self._asked(level, "count(DISTINCT unit)", self.name)
        summed: Counter[Part] = Counter()
        for part, count in self.finest.items():
            summed[tuple(part[at] if at in level else None for at in self.every)] += count
        return summed

    @cached_property
    def hidden(self) -> set[Cell]:
        """The cells that its rule does not show."""
        if self.rule is None or not self.question.dims:
            return set()
        cells = {tuple(str(value) for value in part): count for part, count in self.finest.items()}
        table = protect(tuple(heading for heading, _ in self.question.dims), cells, self.rule)
        return {cell for cell, count in table.cells.items() if count is None}

    def members(self, parts: Iterable[Part], column: str, as_homes: bool) -> str:
        """SELECT of who is in these parts, which the list `column` of the table `given` names. Grain: unit, part."""
        of_homes = as_homes and self.question.base == "person_id"
        unit, rows = ("household_id", self._homes) if of_homes else ("unit", self.name)
        levels = {tuple(at for at, value in enumerate(part) if value is not None) for part in parts}
        return " UNION ALL ".join(
            f"SELECT DISTINCT {unit} AS unit, {column} AS part FROM {rows} JOIN "
            f"(SELECT DISTINCT {column} FROM given WHERE "
            + " AND ".join(f"{column}[{at + 1}] IS {'NOT ' if at in level else ''}NULL" for at in self.every)
            + ") ON "
            + (" AND ".join(f"{_value(at)} = {column}[{at + 1}]" for at in level) or "true")
            if self.every
            else f"SELECT DISTINCT {unit} AS unit, []::VARCHAR[] AS part FROM {rows}"
            for level in sorted(levels)
        )

    @property
    def _homes(self) -> str:
        return f"(SELECT m.*, h.household_id FROM {self.name} AS m JOIN {_HOME} AS h ON h.person_id = m.unit)"

    def _asked(self, level: Level, count: str, rows: str, having: str = "") -> dict[Part, int]:
        by = ", ".join(_value(at) for at in level)
        group = f" GROUP BY {by}" if by else ""
        cells = ", ".join(_value(at) if at in level else "NULL" for at in self.every)
        found = self.wh.rows(f"SELECT {cells + ', ' if cells else ''}{count} FROM {rows}{group}{having}")
        return {tuple(row[:-1]): int(row[-1]) for row in found}


def _value(at: int) -> str:
    return f"coalesce(d{at}, 'not known')"


def gives_away(wh: Warehouse, now: Counted, then: Counted, least: int) -> bool:
    """Whether a cell that one table shows, or a sum of its cells, counts a few more than one of the other, and that
    nobody else."""
    as_homes = now.question.base != then.question.base
    shared = {sql for _, sql in now.question.dims} & {sql for _, sql in then.question.dims}
    new, old = _parts(now, shared, as_homes, least), _parts(then, shared, as_homes, least)
    near = _near(new, old, least)
    if near:  # protecting the tables anew costs more than to count them
        near = [(one, other) for one, other in near if one not in now.hidden and other not in then.hidden]
    return bool(near) and any(
        both == min(new[tuple(one)], old[tuple(other)]) for one, other, both in _in_both(wh, now, then, near, as_homes)
    )


def _parts(table: Counted, shared: set[str], as_homes: bool, least: int) -> dict[Part, int]:
    """How many are counted in each cell of a table, in all of it, and in each cell of what both tables count by."""
    common = tuple(at for at in table.every if table.question.dims[at][1] in shared)
    found: dict[Part, int] = {}
    for level in {table.every, common, ()}:
        found |= table.counts(level, as_homes, least)
    return found


def _near(new: Mapping[Part, int], old: Mapping[Part, int], least: int) -> list[tuple[Part, Part]]:
    """Pairs of parts, each large enough to be shown, of which one counts a few more."""
    by_count: dict[int, list[Part]] = {}
    for part, count in old.items():
        if count >= least:
            by_count.setdefault(count, []).append(part)
    steps = [sign * apart for apart in range(1, least) for sign in (1, -1)]
    return [
        (part, other)
        for part, count in new.items()
        if count >= least
        for step in steps
        for other in by_count.get(count + step, ())
    ]


def _in_both(
    wh: Warehouse, now: Counted, then: Counted, near: list[tuple[Part, Part]], as_homes: bool
) -> list[tuple[list[str], list[str], int]]:
    """How many each pair of parts has in common."""
    pairs = [([*one], [*other]) for one, other in near]
    part = pl.List(pl.String)
    with wh.given(pl.DataFrame(pairs, schema={"new": part, "old": part}, orient="row")):
        return [
            (one, other, int(both))
            for one, other, both in wh.rows(
                f"""WITH a AS ({now.members((one for one, _ in near), "new", as_homes)}),
                b AS ({then.members((other for _, other in near), "old", as_homes)})
                SELECT new, old, count(*) FROM given JOIN a ON a.part = new
                JOIN b ON b.part = old AND b.unit = a.unit GROUP BY new, old"""
            )
        ]
