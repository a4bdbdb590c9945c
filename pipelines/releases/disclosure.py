"""Small groups: how few people share a combination of quasi-identifiers, made coarser by steps, then suppressed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.settings import BoroughlinkError
from pipelines.warehouse import Warehouse

#: From fine to coarse: name of the level and the SQL that makes it from a row of `subject`.
LEVELS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "age_band": (
        ("five years, 90 and over together", "CASE WHEN age_from >= 90 THEN '90+' ELSE age_band END"),
        ("five years, 85 and over together", "CASE WHEN age_from >= 85 THEN '85+' ELSE age_band END"),
        (
            "ten years, 80 and over together",
            "CASE WHEN age_from IS NULL THEN age_band WHEN age_from >= 80 THEN '80+' "
            "ELSE printf('%02d-%02d', age_from // 10 * 10, age_from // 10 * 10 + 9) END",
        ),
    ),
    "sex": (("as recorded", "coalesce(sex, 'not known')"),),
    "imd": (
        ("tenth", "coalesce('decile ' || imd_decile, 'not known')"),
        ("fifth", "coalesce('fifth ' || ((imd_decile + 1) // 2), 'not known')"),
        ("none", "'not shown'"),
    ),
    "ward": (("ward", "coalesce(ward, 'not known')"), ("borough", "'whole borough'")),
}


class ReleaseRefused(BoroughlinkError):
    """The data set can't be made safe within its policy; the text names the columns that cost most."""


@dataclass(frozen=True)
class Protection:
    """What was done to reach k, and what is left."""

    levels: dict[str, str]
    rows_before: int
    rows: int
    smallest_group: int
    groups: int

    @property
    def suppressed(self) -> int:
        return self.rows_before - self.rows

    @property
    def coarsened(self) -> frozenset[str]:
        """Columns that are shown less finely than they could be."""
        return frozenset(column for column, level in self.levels.items() if level != LEVELS[column][0][0])


def protect(
    wh: Warehouse, subject: str, columns: Sequence[str], coarser: Sequence[str], k: int, at_most: float, refuse: float
) -> Protection:
    """Make the temporary table `protected` from `subject` with the quasi-identifiers generalised and small groups out.

    Columns get coarser one step at a time until at most `at_most` of the rows stand in groups under `k`; those rows
    are left out. Raises ReleaseRefused when even the last step would lose more than `refuse`.
    """
    depth, tried = dict.fromkeys(columns, 0), dict.fromkeys(columns, 0)
    total = int(wh.scalar(f"SELECT count(*) FROM {subject}"))
    small = _small(wh, subject, depth, k)
    for column in coarser:
        if small <= at_most * total:
            break
        if tried[column] + 1 < len(LEVELS[column]):
            tried[column] += 1
            left = _small(wh, subject, depth | {column: tried[column]}, k)
            if left < small:  # a step that saves nobody costs detail for nothing
                depth[column], small = tried[column], left
    if small > refuse * total:
        raise ReleaseRefused(
            f"{small} of {total} rows stand in groups of fewer than {k} people, even at the coarsest step. "
            f"What costs most: {', '.join(_costly(wh, subject, depth, k))}. Leave a column out, or widen the steps."
        )
    shown = ", ".join(f"{LEVELS[column][level][1]} AS shown_{column}" for column, level in depth.items())
    keys = ", ".join(f"shown_{column}" for column in depth)
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE protected AS SELECT * FROM (SELECT *, {shown} FROM {subject}) "
        f"QUALIFY count(*) OVER (PARTITION BY {keys}) >= {int(k)}"
    )
    groups, smallest, rows = wh.rows(
        f"SELECT count(*), coalesce(min(n), 0), coalesce(sum(n), 0) "
        f"FROM (SELECT count(*) AS n FROM protected GROUP BY {keys})"
    )[0]
    levels = {column: LEVELS[column][level][0] for column, level in depth.items()}
    return Protection(levels, total, int(rows), int(smallest), int(groups))


def shorten_rare_lists(wh: Warehouse, table: str, column: str, k: int) -> int:
    """Cut the tail of lists that fewer than `k` rows share, until none is left; return the rows that were cut."""
    before = wh.scalar(f"SELECT coalesce(sum(len({column})), 0) FROM {table}")
    longest = int(wh.scalar(f"SELECT coalesce(max(len({column})), 0) FROM {table}"))
    wh.execute(f"ALTER TABLE {table} ADD COLUMN whole VARCHAR[]")
    wh.execute(f"UPDATE {table} SET whole = {column}")
    for _ in range(longest):
        wh.execute(
            f"UPDATE {table} SET {column} = {column}[:-2] WHERE {column} IN "
            f"(SELECT {column} FROM {table} WHERE len({column}) > 0 GROUP BY {column} HAVING count(*) < {int(k)})"
        )
    cut = int(wh.scalar(f"SELECT count(*) FROM {table} WHERE len({column}) < len(whole)")) if before else 0
    wh.execute(f"ALTER TABLE {table} DROP COLUMN whole")
    return cut


def _small(wh: Warehouse, subject: str, depth: Mapping[str, int], k: int) -> int:
    """Rows that stand in groups of fewer than k."""
    keys = ", ".join(LEVELS[column][level][1] for column, level in depth.items())
    return int(
        wh.scalar(
            f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {subject} GROUP BY {keys}) WHERE n < {int(k)}"
        )
    )


def _costly(wh: Warehouse, subject: str, depth: Mapping[str, int], k: int) -> list[str]:
    """The three columns whose absence would leave the fewest rows in small groups."""
    without = {
        column: _small(wh, subject, {name: level for name, level in depth.items() if name != column}, k)
        for column in depth
        if len(depth) > 1
    }
    return sorted(without, key=lambda column: (without[column], column))[:3]
