"""What somebody could do with a release, tried on it: find one row, name a person's row, learn what was not known.

The attacker holds the file and a register of the whole population (age, sex, place and home of everyone), and knows
that a person is in the file. Figures are chances; none of the people behind them is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from pipelines.releases.disclosure import households
from pipelines.releases.sets import Profile, ReleaseRefused, ReleaseSet
from pipelines.warehouse import Warehouse

TARGETS = 1_000


@dataclass(frozen=True)
class Measured:
    """A release as an attacker finds it. Risks are chances of naming a row right."""

    rows: int
    groups: int
    k: int  # smallest group in the release
    k_population: int  # the same group's size in the whole population
    unique: int  # rows alone in their group
    max_risk: float  # known to be in the release: 1 / k
    mean_risk_in_release: float
    mean_risk: float  # by a register of everyone
    l: dict[str, int]  # noqa: E741 - fewest values of each sensitive column in a group
    singled_out: dict[str, float]  # share of rows found alone by who also knows this one further thing of the person
    singled_out_by_all: float  # share of rows that differ from every other in some column
    linked: float  # share of targets whose row was named right, guessing among those that fit
    linked_knowing: dict[str, float]  # the same, knowing one further thing
    learnt: dict[str, float]  # share of rows whose group gives the sensitive value away
    household: float | None  # share of rows in a household that nobody else's looks like; None without a household
    path: int | None = None  # fewest rows that share a path over a series; None where nobody can be followed
    joined: float | None = None  # share of rows that join with one release in other hands; None where there is none
    joined_with: str | None = None  # that release and its recipient

    @property
    def says_of_joining(self) -> str:
        """For whoever approves; empty where nobody else holds a release of the purpose."""
        if self.joined is None:
            return ""
        return f"{self.joined:.1%} of its rows can be joined one to one with those of {self.joined_with}."

    def plain(self) -> dict[str, Any]:
        return {name: _rounded(value) for name, value in asdict(self).items()}


def attack(wh: Warehouse, asked: ReleaseSet, rows: pl.DataFrame, levels: Mapping[str, str]) -> Measured:
    """Measure the rows of a release against the population of the attributes zone; nothing of the build is believed.

    `levels` is the step at which each quasi-identifier left, by the words of subjects.yaml.
    """
    with wh.given(rows):
        wh.execute("CREATE OR REPLACE TEMP TABLE held AS SELECT row_number() OVER () AS nr, * FROM given")
    quasi = list(asked.quasi)
    by = ", ".join(quasi)
    sql = {name: dict(asked.levels(name))[levels[name]] for name in quasi}
    register = ", ".join(f"{expression} AS {name}" for name, expression in sql.items())
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE register AS SELECT {by}, count(*) AS everyone FROM "
        f"(SELECT {register} FROM population) GROUP BY ALL"
    )
    sensitive = list(asked.of_kind("sensitive"))
    wh.execute(
        "CREATE OR REPLACE TEMP TABLE classed AS SELECT h.*, count(*) OVER (PARTITION BY "
        f"{', '.join(f'h.{name}' for name in quasi)}) AS n, r.everyone FROM held AS h LEFT JOIN register AS r "
        f"ON {' AND '.join(f'r.{name} = h.{name}' for name in quasi)}"
    )
    groups, k, k_population = wh.rows(
        f"SELECT count(*), min(n), min(everyone) FROM (SELECT {by}, min(n) AS n, "
        "min(coalesce(everyone, n)) AS everyone FROM classed GROUP BY ALL)"
    )[0]
    unique, max_risk, in_release, mean = wh.rows(
        "SELECT count(*) FILTER (n = 1), max(1 / n), avg(1 / n), avg(1 / coalesce(everyone, n)) FROM classed"
    )[0]
    if asked.shows_household and rows["household"].null_count() < rows.height:
        risk = "SELECT avg(greatest(1 / coalesce(everyone, n), 1 / alike)), avg((alike = 1)::INTEGER) FROM "
        mean, household = wh.rows(risk + households(asked, "classed", "", "household"))[0]
    else:
        household = None
    return Measured(
        rows=rows.height,
        groups=int(groups),
        k=int(k),
        k_population=int(k_population),
        unique=int(unique),
        max_risk=float(max_risk),
        mean_risk_in_release=float(in_release),
        mean_risk=float(mean),
        l={name: _fewest(wh, by, name) for name in sensitive},
        singled_out={name: _alone(wh, [*quasi, name]) for name in sensitive},
        singled_out_by_all=_alone(wh, [name for name in rows.columns if asked.subject.columns[name].kind != "id"]),
        linked=_linked(wh, quasi, []),
        linked_knowing={name: _linked(wh, quasi, [name]) for name in sensitive},
        learnt={name: _learnt(wh, by, name) for name in sensitive},
        household=None if household is None else float(household),
    )


def require_profile(found: Measured, asked: ReleaseSet, profile: Profile, rows_before: int) -> None:
    """Raise ReleaseRefused, naming each number that misses its goal."""
    k = max(profile.k, asked.k)
    misses = [
        said
        for missed, said in (
            (found.k < k, f"the smallest group is {found.k}, at least {k} is asked"),
            (found.k_population < profile.k_population, f"a group is {found.k_population} in the population"),
            (found.mean_risk > profile.mean_risk, f"the mean risk is {found.mean_risk:.2%}"),
            (found.max_risk > profile.max_risk, f"the highest risk is {found.max_risk:.1%}"),
            (profile.unique is not None and found.unique > profile.unique, f"{found.unique} rows are unique"),
            (found.rows < profile.kept * rows_before, f"only {found.rows / max(rows_before, 1):.1%} of rows are kept"),
            ((found.joined or 0) > profile.joined, found.says_of_joining.removesuffix(".")),
            *(
                (values < profile.l, f"a group has {values} value of {column}, at least {profile.l} are asked")
                for column, values in found.l.items()
            ),
        )
        if missed
    ]
    if misses:
        raise ReleaseRefused(f"The release is not as safe as its profile asks: {'; '.join(misses)}.")


def _fewest(wh: Warehouse, by: str, column: str) -> int:
    told = f"coalesce({column}::VARCHAR, 'not told')"  # not a value less: the row has one of its own
    return int(wh.scalar(f"SELECT min(l) FROM (SELECT count(DISTINCT {told}) AS l FROM classed GROUP BY {by})"))


def _alone(wh: Warehouse, columns: Sequence[str]) -> float:
    by = ", ".join(columns)
    return float(
        wh.scalar(
            f"SELECT coalesce(sum(n) FILTER (n = 1), 0) / sum(n) FROM (SELECT count(*) AS n FROM held GROUP BY {by})"
        )
    )


def _learnt(wh: Warehouse, by: str, column: str) -> float:
    return float(
        wh.scalar(
            f"SELECT coalesce(sum(n) FILTER (l = 1), 0) / sum(n) FROM "
            f"(SELECT count(*) AS n, count(DISTINCT {column}) AS l FROM classed GROUP BY {by})"
        )
    )


def _linked(wh: Warehouse, quasi: Sequence[str], knowing: Sequence[str]) -> float:
    """Targets drawn over the file; each guess is one of the rows that fit what is known of the target."""
    by = [*quasi, *knowing]
    return float(
        wh.scalar(
            "WITH target AS (SELECT nr, "
            f"{', '.join(by)}, hash(nr) % 1000003 AS draw FROM held ORDER BY hash(nr, 7) LIMIT {TARGETS}), "
            f"fits AS (SELECT {', '.join(by)}, list(nr ORDER BY nr) AS rows FROM held GROUP BY ALL) "
            "SELECT avg((rows[1 + (draw % len(rows))::BIGINT] = nr)::INTEGER) FROM target JOIN fits "
            f"ON {' AND '.join(f'fits.{name} IS NOT DISTINCT FROM target.{name}' for name in by)}"
        )
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    return {name: _rounded(each) for name, each in value.items()} if isinstance(value, dict) else value
