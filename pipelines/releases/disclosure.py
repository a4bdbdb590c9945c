"""Small groups: how sure somebody could be of whose row it is, made less by steps, then by leaving rows out.

k is counted in the release (somebody knows that a person is in it) and in the whole population (somebody holds a
register of everyone); l is the number of values that a group has in each sensitive column.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.releases.sets import Profile, ReleaseRefused, ReleaseSet
from pipelines.warehouse import Warehouse

Depth = Mapping[str, int]


@dataclass(frozen=True)
class Protection:
    """What was done to reach the numbers of the profile, and what is left."""

    levels: dict[str, str]
    rows_before: int
    rows: int
    smallest_group: int
    groups: int
    coarsened: frozenset[str]

    @property
    def suppressed(self) -> int:
        return self.rows_before - self.rows


@dataclass(frozen=True)
class State:
    """How a depth stands: rows that would have to go, and the risks of those that stay."""

    failing: int
    mean_risk: float
    max_risk: float

    def fits(self, profile: Profile, may_go: float) -> bool:
        return self.failing <= may_go and self.mean_risk <= profile.mean_risk and self.max_risk <= profile.max_risk


def protect(wh: Warehouse, asked: ReleaseSet, profile: Profile) -> Protection:
    """Make the temporary table `protected` from `subject` and `population`: quasi-identifiers as `shown_<column>`.

    Columns get coarser one step at a time, in the set's order, until at most `suppress_first` of the rows fail and the
    risks are those of the profile; steps that turn out not to be needed are taken back; rows that still fail are left
    out. Raises ReleaseRefused, naming the columns that cost most, when even the last step would lose more than the
    profile allows, or nobody is left.
    """
    total = int(wh.scalar("SELECT count(*) FROM subject"))
    if not total:
        raise ReleaseRefused(f"There is nobody to release: no row of {asked.name} is left.")
    columns = (*asked.quasi, *(["household"] if asked.shows_household else []))
    depth = {column: asked.start.get(column, 0) for column in columns}
    state = _state(wh, asked, profile, depth)
    may_go = profile.suppress_first * total
    for column in asked.coarser:
        if state.fits(profile, may_go):
            break
        depth[column] = min(depth[column] + 1, len(asked.levels(column)) - 1)
        state = _state(wh, asked, profile, depth)
    else:
        may_go = may_go if state.fits(profile, may_go) else (1 - profile.kept) * total
    if not state.fits(profile, may_go):
        raise ReleaseRefused(_refusal(wh, asked, profile, depth, state, total))
    for column in dict.fromkeys(reversed(asked.coarser)):  # a step that protects nobody costs detail for nothing
        while depth[column] > asked.start.get(column, 0):
            finer = depth | {column: depth[column] - 1}
            if not _state(wh, asked, profile, finer).fits(profile, may_go):
                break
            depth = finer
    return _protected(wh, asked, profile, depth, total)


def grouped(asked: ReleaseSet, depth: Depth) -> str:
    """SELECT of subject's rows with `n` (group in the release), `everyone` (group in the population), `fewest` (least
    number of values of a sensitive column there). Grain: person_id.
    """
    keys = {f"shown_{column}": asked.levels(column)[depth[column]][1] for column in asked.quasi}
    named = ", ".join(f"{sql} AS {key}" for key, sql in keys.items())
    by = ", ".join(keys)
    sensitive = asked.of_kind("sensitive")
    fewest = f"least({', '.join(f'count(DISTINCT {name})' for name in sensitive)})" if sensitive else "NULL"
    same = " AND ".join(f"g.{key} = s.{key}" for key in keys)
    in_population = same.replace("g.", "p.")
    return f"""
    WITH s AS (SELECT *, {named} FROM subject),
    g AS (SELECT {by}, count(*) AS n, {fewest} AS fewest FROM s GROUP BY {by}),
    p AS (SELECT {named}, count(*) AS everyone FROM population GROUP BY ALL)
    SELECT s.*, g.n, coalesce(p.everyone, g.n) AS everyone, g.fewest
    FROM s JOIN g ON {same} LEFT JOIN p ON {in_population}"""


def stays(asked: ReleaseSet, profile: Profile) -> str:
    """The condition on a row of `grouped` under which it may leave."""
    parts = [f"n >= {max(profile.k, asked.k)}", f"everyone >= {profile.k_population}"]
    if profile.l > 1 and asked.of_kind("sensitive"):
        parts.append(f"fewest >= {profile.l}")
    return " AND ".join(parts)


def _state(wh: Warehouse, asked: ReleaseSet, profile: Profile, depth: Depth) -> State:
    rows = f"SELECT * FROM ({grouped(asked, depth)})"
    wh.execute(f"CREATE OR REPLACE TEMP TABLE grouped AS {rows}")
    stay = stays(asked, profile)
    failing = int(wh.scalar(f"SELECT count(*) FROM grouped WHERE NOT ({stay})"))
    risk = "1 / everyone"
    source = f"(SELECT *, 1 AS alike FROM grouped WHERE {stay})"
    if depth.get("household") == 0:
        risk, source = "greatest(1 / everyone, 1 / alike)", households(asked, f"grouped WHERE {stay}")
    mean, most = wh.rows(f"SELECT coalesce(avg({risk}), 0), coalesce(max(1 / n), 0) FROM {source}")[0]
    return State(failing, float(mean), float(most))


def households(asked: ReleaseSet, rows: str, prefix: str = "shown_", household: str = "household_id") -> str:
    """Subquery of rows with `alike`: how many households of the release are made up of the same people.

    Somebody who knows who lives together finds a household by the ages and sexes in it.
    """
    one = " || '/' || ".join(f"{prefix}{column}" for column in asked.quasi)
    return (
        f"(SELECT r.*, coalesce(a.alike, 1000000) AS alike FROM (SELECT * FROM {rows}) AS r LEFT JOIN ("
        f"SELECT {household}, count(*) OVER (PARTITION BY who) AS alike FROM ("
        f"SELECT {household}, list_sort(list({one})) AS who FROM {rows} {_and(rows)} {household} IS NOT NULL "
        f"GROUP BY {household})) AS a ON a.{household} = r.{household})"
    )


def _and(rows: str) -> str:
    return "AND" if " WHERE " in rows else "WHERE"


def _protected(wh: Warehouse, asked: ReleaseSet, profile: Profile, depth: dict[str, int], total: int) -> Protection:
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE protected AS SELECT * EXCLUDE (n, everyone, fewest) "
        f"FROM ({grouped(asked, depth)}) WHERE {stays(asked, profile)}"
    )
    if depth.get("household"):
        wh.execute("UPDATE protected SET household_id = NULL")
    by = ", ".join(f"shown_{column}" for column in asked.quasi)
    groups, smallest, rows = wh.rows(
        f"SELECT count(*), coalesce(min(n), 0), coalesce(sum(n), 0) "
        f"FROM (SELECT count(*) AS n FROM protected GROUP BY {by})"
    )[0]
    if not rows:
        raise ReleaseRefused(f"There is nobody to release: no row of {asked.name} is left.")
    levels = {column: asked.levels(column)[level][0] for column, level in depth.items()}
    coarser = frozenset(column for column, level in depth.items() if level > 0)
    return Protection(levels, total, int(rows), int(smallest), int(groups), coarser)


def _refusal(
    wh: Warehouse, asked: ReleaseSet, profile: Profile, depth: dict[str, int], state: State, total: int
) -> str:
    why = []
    if state.failing > (1 - profile.kept) * total:
        k = max(profile.k, asked.k, profile.k_population)
        values = f" or with fewer than {profile.l} values of a sensitive column" if profile.l > 1 else ""
        why.append(f"{state.failing:,} of {total:,} rows stand in groups of fewer than {k} people{values}")
    if state.mean_risk > profile.mean_risk:
        why.append(f"the mean risk is {state.mean_risk:.1%} (at most {profile.mean_risk:.0%})")
    if state.max_risk > profile.max_risk:
        why.append(f"the highest risk is {state.max_risk:.1%} (at most {profile.max_risk:.0%})")
    costly = ", ".join(_costly(wh, asked, profile, depth))
    return (
        f"Even at the coarsest step {' and '.join(why)}. What costs most: {costly}. Leave a column out, or let it get "
        "coarser."
    )


def _costly(wh: Warehouse, asked: ReleaseSet, profile: Profile, depth: dict[str, int]) -> list[str]:
    """The three columns whose absence would leave the fewest rows to suppress."""
    without = {}
    for column in depth:
        columns = tuple(name for name in asked.columns if name != column)
        fewer = asked.model_copy(update={"columns": columns})
        left = {name: level for name, level in depth.items() if name != column}
        if fewer.quasi:
            found = _state(wh, fewer, profile, left)
            without[column] = (found.failing, found.mean_risk)
    return sorted(without, key=lambda column: (without[column], column))[:3]


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
