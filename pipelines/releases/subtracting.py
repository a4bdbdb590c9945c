"""Whether two tables, subtracted, give away a small group: whatever each counts by, and whether people or homes."""

from collections.abc import Collection, Iterable, Mapping

import polars as pl

from pipelines.releases.protected_table import Cell, Preset, protect
from pipelines.releases.question import Question
from pipelines.warehouse import Warehouse

#: One value for each thing counted by; None for one that is summed over.
Part = tuple[str | None, ...]
_HOME = "attributes.attributes.person"


def gives_away(
    wh: Warehouse, now: Question, rule: Preset, then: Question, rule_then: Preset | None, least: int
) -> bool:
    """Whether a cell that one table shows, or a sum of its cells, counts a few more than one of the other, and that
    nobody else. Their members must lie in `asked` and `earlier`; of an older table the rule may not be known.
    """
    shared = {sql for _, sql in now.dims} & {sql for _, sql in then.dims}
    as_homes = now.base != then.base
    for name, question in (("asked", now), ("earlier", then)):
        wh.execute(f"CREATE OR REPLACE TEMP TABLE {name}_part AS {_parts(name, question, shared, as_homes, least)}")
    new, old = _counts(wh, "asked_part"), _counts(wh, "earlier_part")
    near = _near(new, old, least)
    if near:  # protecting the tables anew costs more than to count them
        new_shown, old_shown = _hidden(wh, "asked", now, rule), _hidden(wh, "earlier", then, rule_then)
        near = [(one, other) for one, other in near if one not in new_shown and other not in old_shown]
    return bool(near) and any(
        both == min(new[tuple(one)], old[tuple(other)]) for one, other, both in _in_both(wh, near)
    )


def _parts(name: str, question: Question, shared: Collection[str], as_homes: bool, least: int) -> str:
    """Who is counted in each cell of a table, in all of it, and in each cell of what both tables count by.

    People are held against homes by their own homes, in those parts in which hardly two share one. Grain: unit, part.
    """
    every = range(len(question.dims))
    kept = {tuple(every), (), tuple(at for at in every if question.dims[at][1] in shared)}
    parts = " UNION ALL ".join(
        "SELECT DISTINCT unit, ["
        + ", ".join(f"coalesce(d{at}, 'not known')" if at in level else "NULL" for at in every)
        + f"]::VARCHAR[] AS part FROM {name}"
        for level in kept
    )
    if not as_homes or question.base != "person_id":
        return parts
    return f"""WITH of_home AS (SELECT household_id, part, unit FROM ({parts}) JOIN {_HOME} ON person_id = unit),
        apart AS (SELECT part FROM of_home GROUP BY part HAVING count(unit) - count(DISTINCT household_id) < {least})
        SELECT DISTINCT household_id AS unit, part FROM of_home SEMI JOIN apart USING (part)"""


def _counts(wh: Warehouse, name: str) -> dict[Part, int]:
    return {tuple(part): int(count) for part, count in wh.rows(f"SELECT part, count(*) FROM {name} GROUP BY part")}


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


def _hidden(wh: Warehouse, name: str, question: Question, rule: Preset | None) -> set[Cell]:
    """The cells of a table that its rule does not show."""
    if rule is None or not question.dims:
        return set()
    cells = ", ".join(f"coalesce(d{at}, 'not known')" for at in range(len(question.dims)))
    rows = wh.rows(f"SELECT {cells}, count(DISTINCT unit) FROM {name} GROUP BY ALL")
    counts = {tuple(row[:-1]): int(row[-1]) for row in rows}
    table = protect(tuple(heading for heading, _ in question.dims), counts, rule)
    return {cell for cell, count in table.cells.items() if count is None}


def _in_both(wh: Warehouse, near: Iterable[tuple[Part, Part]]) -> list[tuple[list[str], list[str], int]]:
    """How many each pair of parts has in common."""
    pairs = [([*one], [*other]) for one, other in near]
    part = pl.List(pl.String)
    with wh.given(pl.DataFrame(pairs, schema={"new": part, "old": part}, orient="row")):
        return [
            (one, other, int(both))
            for one, other, both in wh.rows(
                """SELECT new, old, count(*) FROM given JOIN asked_part AS a ON a.part = new
                JOIN earlier_part AS b ON b.part = old AND b.unit = a.unit GROUP BY new, old"""
            )
        ]
