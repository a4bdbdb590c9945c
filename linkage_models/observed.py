"""What is counted on records before any m is known: u, how common names are, the share of matches, and the patterns of
the pairs that m will be learnt from."""

from dataclasses import dataclass
from typing import Any

import duckdb

from linkage_models import thresholds as policy
from linkage_models.neighbours import count_local_levels
from linkage_models.patterns import Patterns, Session, TrainingFailed, look_at_pairs, plan_sessions
from linkage_models.person import comparisons, deterministic
from linkage_models.person.communities import learn_communities, names_go_together
from linkage_models.person.designs import COUNCIL, GENERAL, Design
from linkage_models.person.general import with_days_alone, without_families, without_proof
from linkage_models.person.levels import Comparison
from linkage_models.person.records import IS_HOME
from linkage_models.term_frequencies import terms_here, write_rare_names

FLOOR = 1e-6


@dataclass(frozen=True)
class Observed:
    """`settings` are Splink's, u as random pairs show it, true matches among them; `every` is the number of pairs that
    may match, `prior` about what share of all pairs do."""

    columns: set[str]
    chosen: list[Comparison]
    records: int
    prior: float
    terms: dict[str, dict[str, float]]
    settings: dict[str, Any]
    patterns: list[Patterns]
    every: float


def observe(
    con: duckdb.DuckDBPyConnection,
    table: str,
    design: Design,
    population: int,
    seed: int,
    sessions: tuple[Session, ...] = (),
) -> Observed:
    """Look at `table` (as person.records.link_table writes it), adding the columns of the design. Raises TrainingFailed
    where no column tells records apart, or no session has pairs."""
    columns = design.prepare(con, table)
    chosen = _comparisons_here(con, table, design, columns)
    (records,) = con.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
    if records < 2:
        raise TrainingFailed("there is nothing to train on: fewer than two records")
    prior = _certain_prior(con, table, columns, records)
    terms = terms_here(con, table, columns.intersection(design.weighed))
    keys, keyed = table, columns
    named = columns.issuperset({"forename", "surname_key"})
    if named and (design is COUNCIL or names_go_together(con, table)):
        terms |= learn_communities(con, table)
    if named and design is COUNCIL:
        keys, keyed = "training_key", columns | {"rare_name"}
        write_rare_names(con, table, terms, population, keys)
    names = {each.name for each in chosen}
    telling = tuple(each for each in sessions if names & (each.trains | each.evidence))
    usable = plan_sessions(con, keys, telling, keyed) if sessions else []
    settings = settings_of(chosen, prior)
    patterns = look_at_pairs(con, table, settings, chosen, usable, keys, seed)
    con.execute("DROP TABLE IF EXISTS training_key")
    if design is COUNCIL:
        count_local_levels(con, table, settings, seed)
        _share_among_the_rest(settings)
    else:
        _raise_u(con, table, settings, chosen, columns)
    every = _pairs_that_may_match(con, table, records)
    return Observed(columns, chosen, records, prior, terms, settings, patterns, every)


def _comparisons_here(
    con: duckdb.DuckDBPyConnection, table: str, design: Design, columns: set[str]
) -> list[Comparison]:
    """What the columns at hand allow to compare. Raises TrainingFailed if nothing."""
    chosen = design.comparisons_of(columns)
    if not chosen:
        raise TrainingFailed("there is nothing to train on: no column tells people apart")
    if design is GENERAL and not _families_seen(con, table, columns):
        chosen = without_families(chosen)
    # names, addresses, sexes and births are all that is known of people
    if design is not GENERAL or {each.name for each in chosen} - {"forename", "middle", "home", "sex", "birth_date"}:
        return chosen
    ((days, unknown, homes),) = con.execute(
        f"""-- one row: shares of records with a day of birth, of births known by year alone, of records with a home
        SELECT avg((birth_date IS NOT NULL AND NOT weak_birth_date)::INT),
            coalesce(avg(weak_birth_date::INT) FILTER (birth_date IS NOT NULL), 0), avg(coalesce({IS_HOME}, false)::INT)
        FROM {table}"""
    ).fetchall()
    if days < 1 / 2:
        return without_proof(chosen)
    return with_days_alone(chosen, unknown) if homes < policy.FEW_HOMES else chosen


def _raise_u(
    con: duckdb.DuckDBPyConnection,
    table: str,
    seen: dict[str, Any],
    chosen: list[Comparison],
    columns: set[str],
) -> None:
    """No u below what half a pair would have given: of a column that few records hold, the sample saw few pairs."""
    held = ", ".join(
        f"greatest({', '.join(f'avg(({x} IS NOT NULL)::INT)' for x in each.needs if x in columns)})" for each in chosen
    )
    (shares,) = con.execute(f"SELECT {held} FROM {table}").fetchall()
    for comparison, share in zip(seen["comparisons"], shares, strict=True):
        least = min(0.5 / max(policy.U_PAIRS * share**2, 1.0), 0.1)
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level") and not level.get("fix_u_probability"):
                level["u_probability"] = max(level.get("u_probability", 0.0), least)


def _families_seen(con: duckdb.DuckDBPyConnection, table: str, columns: set[str]) -> bool:
    """Whether people of one surname live together in these records. Of the pairs of one surname in one home, those
    whose forename and birth date both differ are many against those that agree on both; or, where copies are so many
    that they drown these, homes hold two people whom two records each describe alike: damage seldom repeats itself."""
    if not columns.issuperset({"home_key", "surname_key", "forename_root", "birth_date"}):
        return True
    differ, agree = con.execute(
        f"""SELECT count(*) FILTER (l.initial <> r.initial AND l.birth_year <> r.birth_year),
            count(*) FILTER (l.forename_root = r.forename_root AND l.birth_date = r.birth_date)
        FROM {table} l JOIN {table} r ON l.home_key = r.home_key AND l.surname_key = r.surname_key
            AND l.unique_id < r.unique_id"""
    ).fetchall()[0]
    if differ > policy.FAMILY_SHARE * (differ + agree):
        return True
    homes, shared = con.execute(
        f"""WITH seen AS (  -- one row per person whom two records of one home describe alike
            SELECT home_key, surname_key, left(forename_root, 1) AS initial, birth_year FROM {table}
            WHERE length(forename_root) > 1 AND NOT weak_birth_date
            GROUP BY home_key, surname_key, forename_root, birth_date, birth_year HAVING count(*) > 1
        )
        SELECT count(*), count(*) FILTER (several OR last - first >= {policy.NAMESAKE_YEARS}) FROM (
            SELECT count(DISTINCT initial) > 1 AS several, min(birth_year) AS first, max(birth_year) AS last
            FROM seen WHERE home_key IS NOT NULL AND surname_key IS NOT NULL GROUP BY home_key, surname_key)"""
    ).fetchall()[0]
    return bool(shared >= policy.FAMILY_HOMES_FEWEST and shared > policy.FAMILY_HOMES * homes)


def settings_of(chosen: list[Comparison], prior: float) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "source_dataset_column_name": "source_dataset",
        "comparisons": [comparisons.as_settings(each) for each in chosen],
        "blocking_rules_to_generate_predictions": [{"blocking_rule": "1 = 1", "sql_dialect": "duckdb"}],
        "probability_two_random_records_match": prior,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "sql_dialect": "duckdb",
    }


def _certain_prior(con: duckdb.DuckDBPyConnection, table: str, columns: set[str], records: int) -> float:
    """Probability of a match: pairs that meet a deterministic rule, over the share of true pairs such rules find."""
    rules = {name: keys for name, keys in deterministic.RULES.items() if columns.issuperset(keys)}
    if not rules:
        rules = {
            "names_birth_date": tuple(sorted(columns & {"forename_root", "surname_key", "birth_date", "home_key"}))
        }
    pairs = " UNION ".join(
        f"SELECT l.unique_id AS a, r.unique_id AS b FROM {table} l JOIN {table} r ON "
        + " AND ".join(f"l.{key} = r.{key}" for key in keys)
        + " AND l.unique_id < r.unique_id"
        for keys in rules.values()
    )
    certain = con.execute(f"SELECT count(*) FROM ({pairs})").fetchall()[0][0]
    every = records * (records - 1) / 2
    return min(max(certain, 1) / policy.PRIOR_RULE_RECALL / every, policy.PRIOR_MOST)


def _share_among_the_rest(seen: dict[str, Any]) -> None:
    """A level of fixed weight can take most of what random pairs show (a child beside an adult, whatever their birth
    dates): u of the other levels is their share of the pairs that it leaves."""
    for comparison in seen["comparisons"]:
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        known = [level for level in levels if level.get("u_probability") is not None]
        sampled = [level for level in known if not level.get("fix_u_probability")]
        total = sum(level["u_probability"] for level in sampled) or 1.0
        for level in sampled:
            # none at all is what few records show, not what is impossible
            level["u_probability"] = max(level["u_probability"] / total, FLOOR / 100)


def take_matches_out_of_u(trained: dict[str, Any], chosen: list[Comparison], prior: float) -> None:
    """Random pairs hold `prior` of true matches, which matters where agreement is rarer than that: u = (seen - prior
    m) / (1 - prior).

    What part of the matches reach a level is a rough guess of comparisons.py; a twentieth of what was seen is the
    least left.
    """
    for comparison, source in zip(trained["comparisons"], chosen, strict=True):
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for level, known in zip(levels, source.levels, strict=True):
            level["m_probability"] = level["m_probability"] if level.get("fix_m_probability") else known.m
            seen = level.setdefault("u_probability", FLOOR)
            if not level.get("fix_u_probability"):
                level["u_probability"] = max((seen - prior * known.share) / (1 - prior), seen / 20, FLOOR / 100)


def _pairs_that_may_match(con: duckdb.DuckDBPyConnection, table: str, records: int) -> float:
    (apart,) = con.execute(
        f"""SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM {table}
        WHERE one_person_key IS NOT NULL GROUP BY one_person_key)"""
    ).fetchall()[0]
    return float(max(records * (records - 1) / 2 - apart, 1.0))
