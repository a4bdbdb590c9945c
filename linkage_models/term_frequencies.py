"""How common values are: what a model weighs agreement by, and by which names are told to be telling."""

import json
from typing import Any

import duckdb
import polars as pl

from linkage_models import thresholds as policy
from linkage_models.person.communities import COLUMN as FULL_NAME
from linkage_models.person.communities import LEARNT_BESIDE, SURNAME, write_frequencies
from linkage_models.person.comparisons import INITIAL, NEIGHBOURS, levels_by_chance

TERM_COLUMNS = ("forename", "surname_key", "surname_phonetic", "birth_place", "occupation")


def terms_here(con: duckdb.DuckDBPyConnection, table: str, columns: set[str]) -> dict[str, dict[str, float]]:
    """The frequency of each value of the columns at hand that models weigh by it."""
    return {column: _terms(con, table, column) for column in TERM_COLUMNS if column in columns}


def _terms(con: duckdb.DuckDBPyConnection, table: str, column: str) -> dict[str, float]:
    """Value -> share of records; values seen fewer than RARE_TERM_COUNT times are pooled under ''."""
    rows = con.execute(
        f"SELECT {column}, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY 1"
    ).fetchall()
    total = sum(count for _, count in rows)
    kept = {value: count / total for value, count in rows if count >= policy.RARE_TERM_COUNT}
    pooled = [count for _, count in rows if count < policy.RARE_TERM_COUNT]
    kept[""] = (sum(pooled) / len(pooled) if pooled else 1.0) / total
    return kept


def names_of_place(
    con: duckdb.DuckDBPyConnection, table: str, known: dict[str, dict[str, float]]
) -> dict[str, dict[str, float]]:
    """The frequencies of names that a model knows, raised where the people of `table` bear them more often. What is
    known counts as NAMES_KNOWN people more, and ONE_FAMILY of a name's bearers as one family, so that few records, and
    names that few bear, move nothing. What communities of names were learnt beside is kept.

    People are counted, not records: those of one full name and birth date, or home where none is given. Who moved
    without one, or is written in two ways, counts twice, as people of all names do.
    """
    con.execute(
        f"""-- one row per person, as far as a name with a birth date or a home tells
        CREATE OR REPLACE TEMP TABLE named AS
        SELECT DISTINCT forename, surname_key, birth_date, CASE WHEN birth_date IS NULL THEN hash(home_key) END AS home
        FROM {table}"""
    )
    raised = {column: _raised(con, column, known[column]) for column in ("forename", SURNAME) if column in known}
    con.execute("DROP TABLE named")
    if SURNAME in raised:
        raised[LEARNT_BESIDE] = known.get(LEARNT_BESIDE, known[SURNAME])
    return raised


def _raised(con: duckdb.DuckDBPyConnection, column: str, known: dict[str, float]) -> dict[str, float]:
    """Value -> share, of one column of `named`."""
    ((every,),) = con.execute(f"SELECT count({column}) FROM named").fetchall()
    counts = con.execute(
        f"SELECT {column}, count(*) FROM named WHERE {column} IS NOT NULL GROUP BY ALL"
        f" HAVING count(*) > {policy.ONE_FAMILY} ORDER BY 1"
    ).fetchall()
    raised = dict(known)
    for value, count in counts:
        share = known.get(value, known[""])
        here = (count - policy.ONE_FAMILY + policy.NAMES_KNOWN * share) / (every + policy.NAMES_KNOWN)
        raised[value] = max(here, share)
    return raised


def raised_chance(
    settings: dict[str, Any], known: dict[str, dict[str, float]], here: dict[str, dict[str, float]]
) -> dict[str, Any]:
    """The settings of a model of the council's design with u of the levels that no term tells (Level.by_chance) as two
    people of this place share names: by `here` where training counted them beside `known`.

    A part of a forename agrees as much oftener as two people share it oftener. Neighbours of one surname are families,
    as many of them everywhere, and those who share it by chance: a part of the neighbours of different surnames.
    """
    ratio = {
        part: _coincidence(here["forename"], of) / _coincidence(known["forename"], of)
        for part, of in (("forename", None), (INITIAL, 1))
    }
    more = _coincidence(here[SURNAME]) - _coincidence(known[SURNAME])
    settings, told = json.loads(json.dumps(settings)), levels_by_chance()
    for comparison in settings["comparisons"]:
        name, levels = comparison["output_column_name"], comparison["comparison_levels"]
        u = {each["label_for_charts"]: each.get("u_probability", 0.0) for each in levels}
        of = {each: told[name, each] for each in u if (name, each) in told}
        alike = sum(u[each] for each, part in of.items() if part == SURNAME)
        for level in levels:
            if part := of.get(level["label_for_charts"]):
                raised = 1 + more * u[NEIGHBOURS] / alike if part == SURNAME else ratio[part]
                level["u_probability"] = min(level["u_probability"] * max(raised, 1.0), 0.99)
    return settings


def _coincidence(shares: dict[str, float], letters: int | None = None) -> float:
    """How probably two people share a value, or its first letters, by the shares of those that are common."""
    summed: dict[str, float] = {}
    for value, share in sorted(shares.items()):  # the same sum to the last digit once they have been written and read
        if value:
            summed[value[:letters]] = summed.get(value[:letters], 0.0) + share
    return sum(share**2 for share in summed.values())


def leave_common_names(
    con: duckdb.DuckDBPyConnection, table: str, terms: dict[str, dict[str, float]], population: int
) -> None:
    """Take the telling_name off each record of `table` whose full name more than COMMON_NAME people are expected to
    bear: what the model knows decides, not the other records, so that a night compares the pairs that a full run does.
    """
    if not {"forename", "surname_key"} <= terms.keys():
        return
    for column, beside in (("forename", "surname_key"), ("surname_key", "forename")):
        # the names that are common beside the commonest: few, and quickly joined
        most = max((share for value, share in terms[beside].items() if value), default=0.0) * population
        listed = [(v, share) for v, share in terms[column].items() if v and share * most > policy.COMMON_NAME / 2]
        kept = pl.DataFrame(listed, schema={"value": pl.String, "share": pl.Float64}, orient="row")
        con.register(f"share_of_{column}", kept)
    con.execute(
        f"""UPDATE {table} SET telling_name = NULL FROM share_of_forename f, share_of_surname_key s
        WHERE {table}.forename = f.value AND {table}.surname_key = s.value
            AND f.share * s.share * {population} > {policy.COMMON_NAME}"""
    )
    for column in ("forename", "surname_key"):
        con.unregister(f"share_of_{column}")


def write_rare_names(
    con: duckdb.DuckDBPyConnection, table: str, terms: dict[str, dict[str, float]], population: int, target: str
) -> None:
    """Write the temporary table `target`: of each record of `table` its unique_id and what training brings records
    together by, with rare_name: the full name where hardly two people would share it."""
    write_frequencies(con, table, terms, "name_beside")
    common = pl.DataFrame({"forename": list(terms["forename"]), "frequency": list(terms["forename"].values())})
    con.register("name_alone", common)
    con.execute(
        f"""-- one row per record
        CREATE OR REPLACE TEMP TABLE {target} AS
        SELECT unique_id, nino, forename_root, surname_key, birth_date, home_key,
            CASE WHEN length(forename) > 1 AND {population} * b.tf_{FULL_NAME}
                * coalesce(a.frequency, {terms["forename"][""]!r}) <= {policy.RARE_NAME} THEN {FULL_NAME} END
            AS rare_name
        FROM {table} LEFT JOIN name_beside b USING ({FULL_NAME}) LEFT JOIN name_alone a USING (forename)"""
    )
    con.unregister("name_alone")
    con.execute("DROP TABLE name_beside")
