"""How often one person stands in a source: as its contract states, as its records show, or, where neither says, as is
presumed until somebody says otherwise."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import polars as pl

from linkage_models.person.records import IS_HOME
from pipelines.warehouse import Warehouse, sql_file, sql_list

ROOM = Path(__file__).parent
REPEATS = "identity.people.repeats"
# A source whose contract does not say holds a person once if at least so many records, and such a share of them, tell
# (name and birth date), and at most this share of them comes twice (assumed: namesakes, and brothers named after one
# who died, are fewer; what a source that repeats people shows is far more).
FEWEST_TELLING = 200
TELLING_SHARE = 0.5
REPEATED_SHARE = 0.02
# A list that is silent is presumed to hold a person once beside other lists, unless two records of it agree in all that
# both lists know at least this often, of all pairs, for each time that one of it and one of another do (assumed: a list
# of copies, two a person, shows a half; who comes twice for all that goes to review).
COPIES_SHARE = 1 / 3
# What may be known of a person, beside the name.
_KNOWN = ("middle", "generation", "birth_date", "birth_year", "sex", "home")

Stated = Mapping[str, str | Mapping[str, str]]


def write_repeats(wh: Warehouse, people: str, stated: Stated, views: Mapping[str, Sequence[str]]) -> None:
    """Write REPEATS over the rows of `people` (a query of standardised records): what repeats.sql says of each source,
    and `presumed`, that it is taken to hold each person once. `views` names the sources of each view: a list is held
    only against those that every view may read which reads it, so that no view depends on sources outside it."""
    told = sql_file(
        ROOM / "repeats.sql",
        people=people,
        fewest=str(FEWEST_TELLING),
        telling=str(TELLING_SHARE),
        share=str(REPEATED_SHARE),
        is_home=IS_HOME,
    )
    wh.table(REPEATS, f"SELECT *, false AS presumed FROM ({told})")
    lists = dict(wh.rows(f"SELECT source, is_silent FROM {REPEATS} WHERE is_list ORDER BY source"))
    for source in (name for name, is_silent in lists.items() if is_silent and name not in stated):
        beside = (sources for sources in views.values() if source in sources)
        others = (lists.keys() - {source}).intersection(*beside)
        if others and _plain_copies_are_few(wh, people, source, others):
            wh.execute(f"UPDATE {REPEATS} SET presumed = true WHERE source = ?", [source])


def _plain_copies_are_few(wh: Warehouse, people: str, source: str, others: Collection[str]) -> bool:
    """Whether records of a list agree in all that they say seldom with one another, for how often they do with those of
    other lists. What only one side knows is left out."""
    wh.execute(
        f"""-- one row per record of these lists
        CREATE OR REPLACE TEMP TABLE listed AS
        SELECT source = '{source}' AS here, forename_root, surname_key, middle, generation, sex, home,
            year(birth_date) AS birth_year, CASE WHEN NOT weak_birth_date THEN birth_date END AS birth_date
        FROM {people} LEFT JOIN (
            SELECT record_id, min(home_key) AS home FROM identity.people.record_address GROUP BY ALL) USING (record_id)
        WHERE is_person AND source IN ({sql_list(sorted({source, *others}))})"""
    )
    held = [f"count({name}) FILTER (here) * count({name}) FILTER (NOT here) > 0" for name in _KNOWN]
    # where one list knows little more than years of birth, the years are held against each other
    held += [
        f"2 * count(birth_date) FILTER ({side}) < count(birth_year) FILTER ({side})" for side in ("here", "NOT here")
    ]
    ((*known, of_years, beside_years),) = wh.rows(f"SELECT {', '.join(held)} FROM listed")
    columns = [name for name, both in zip(_KNOWN, known, strict=True) if both]
    if of_years or beside_years:
        columns = [name for name in columns if name != "birth_date"]
    # a copy of a name alone is no copy to be seen: namesakes look the same
    told = (
        " OR ".join(f"{name} IS NOT NULL" for name in columns if name in ("birth_date", "birth_year", "home")) or "true"
    )
    ((inside, across, here, there),) = wh.rows(
        f"""SELECT sum(a * (a - 1))::DOUBLE, sum(a * b)::DOUBLE, sum(a)::DOUBLE, sum(b)::DOUBLE
        FROM (SELECT count(*) FILTER (here) AS a, count(*) FILTER (NOT here) AS b FROM listed
            WHERE forename_root IS NOT NULL AND surname_key IS NOT NULL AND ({told})
            GROUP BY {", ".join(["forename_root", "surname_key", *columns])})"""
    )
    wh.execute("DROP TABLE listed")
    return bool(across and inside / (here * max(here - 1, 1)) < COPIES_SHARE * across / (here * there))


def one_person_rules(wh: Warehouse, stated: Stated) -> pl.DataFrame:
    """Which records of a source are of different people: (source, role, rule); needs REPEATS."""
    once = wh.rows(f"SELECT source FROM {REPEATS} WHERE once OR presumed")
    rules: dict[str, str | Mapping[str, str]] = {**{source: "once" for (source,) in once}, **stated}
    told = [
        (source, role, kind)
        for source, rule in rules.items()
        for role, kind in (((None, rule),) if isinstance(rule, str) else rule.items())
    ]
    return pl.DataFrame(told, schema={"source": pl.String, "role": pl.String, "rule": pl.String}, orient="row")


def may_repeat(wh: Warehouse, stated: Collection[str]) -> dict[str, bool]:
    """The lists of which neither a contract (`stated`) nor the records say whether anybody comes twice: too few have
    what repeats.sql goes by. Of each, whether it is presumed to hold a person once."""
    silent = wh.rows(f"SELECT source, presumed FROM {REPEATS} WHERE is_list AND is_silent ORDER BY source")
    return {source: presumed for source, presumed in silent if source not in stated}
