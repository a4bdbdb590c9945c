"""What the pairs that training looks at agree on: pairs taken at random, and pairs of records that share something.

All are compared in one go: to have Splink write the query costs as much as to compare a million pairs.
"""

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl

from linkage_models import thresholds as policy
from linkage_models.linker import linker_for, predict_given, unweighed
from linkage_models.maximisation import pairs_by_level
from linkage_models.models import CORE
from linkage_models.person import blocking
from linkage_models.person.levels import Comparison

MIN_SESSION_PAIRS = 200
# A session of fewer pairs is noise beside one of more, but better than none for what no other session shows.
LEAST_SESSION_PAIRS = 50


class TrainingFailed(RuntimeError):
    """Training gave no usable model; the message says which step and why."""


@dataclass(frozen=True)
class Session:
    """Pairs that agree on `rule`, the comparisons whose m they can show, and those that only help to tell matches
    apart."""

    rule: tuple[str, ...]
    trains: frozenset[str]
    evidence: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Patterns:
    """How many pairs of a session show each combination of levels: arrays gamma_<comparison> and pairs."""

    session: Session
    comparisons: list[str]
    counts: dict[str, Any]


def plan_sessions(
    con: duckdb.DuckDBPyConnection, table: str, sessions: tuple[Session, ...], columns: set[str]
) -> list[tuple[Session, blocking.Planned]]:
    """The sessions whose columns are at hand and that make enough pairs, and how; where these leave out what the model
    leans on, also smaller ones. Raises TrainingFailed if none does."""
    at_hand = {" + ".join(session.rule): session for session in sessions if columns.issuperset(session.rule)}
    rules = {name: session.rule for name, session in at_hand.items()}
    planned = blocking.plan(con, table, rules, spare=True) if rules else []
    for least in (MIN_SESSION_PAIRS, LEAST_SESSION_PAIRS):
        usable = [(at_hand[each.cost.rule], each) for each in planned if each.cost.pairs >= least]
        if CORE.issubset(frozenset().union(*(session.trains for session, _ in usable))):
            break
    if not usable:
        raise TrainingFailed(
            f"no training rule makes {LEAST_SESSION_PAIRS} pairs: too few records share a name, birth date or home"
        )
    return usable


def look_at_pairs(
    con: duckdb.DuckDBPyConnection,
    table: str,
    settings: dict[str, Any],
    chosen: list[Comparison],
    usable: list[tuple[Session, blocking.Planned]],
    keys: str,
    seed: int,
) -> list[Patterns]:
    """Set u in `settings` (Splink's) to what pairs of `table` taken at random show, of every level that one of them
    reaches; return the patterns of the sessions, each sampled down to EM_PAIRS. `keys` is the table that the sessions
    were planned on."""
    parts = [each.cost.pairs // policy.EM_PAIRS + 1 for _, each in usable]
    blocking.block(con, keys, [each for _, each in usable], "training_pair")
    taken = [
        f"CASE WHEN hash(left_id, right_id, {seed}) % {part} = 0 THEN rules & {1 << place} ELSE 0 END"
        for place, part in enumerate(parts)
    ]
    chance = 1 << len(usable)
    con.register("training_chance", _at_random(con, table, seed))
    # Two records of a source that holds each person once are two people: there is nothing to learn of matches from
    # them. As a plain join on the keys, DuckDB would make all pairs of a source.
    con.execute(
        f"""-- one row per pair; match_key: bits of what it was taken for
        CREATE OR REPLACE TEMP TABLE training_blocked AS
        SELECT taken AS match_key, left_id AS join_key_l, right_id AS join_key_r
        FROM (SELECT *, {" | ".join([*taken, "0"])} AS taken FROM training_pair) p
        JOIN {table} l ON l.unique_id = p.left_id JOIN {table} r ON r.unique_id = p.right_id
        WHERE taken > 0 AND CASE WHEN l.one_person_key = r.one_person_key THEN false ELSE true END
        UNION ALL SELECT {chance}, left_id, right_id FROM training_chance"""
    )
    con.unregister("training_chance")
    alone = settings | {"comparisons": unweighed(settings["comparisons"]), "retain_matching_columns": True}
    names = [each["output_column_name"] for each in alone["comparisons"]]
    gammas = ", ".join(f"gamma_{name}" for name in names)
    kept = f"SELECT match_key AS taken, {gammas}, count(*) AS pairs FROM predicted GROUP BY ALL"
    shown = predict_given(con, linker_for(con, table, alone, {}, kept), "training_blocked")
    counts = con.execute(f"FROM {shown.physical_name} WHERE taken = {chance}").fetchnumpy()
    for each, source in zip(settings["comparisons"], chosen, strict=True):
        levels = [x for x in each["comparison_levels"] if not x.get("is_null_level")]
        _set_u(levels, counts, source.name)
        if source.among and not set(names).isdisjoint(source.among):
            _narrow_u(levels, counts, source, {other.name: other for other in chosen})
    patterns = []
    for place, ((session, _), part) in enumerate(zip(usable, parts, strict=True)):
        compared = [name for name in names if name in session.trains | session.evidence]
        gammas = ", ".join(f"gamma_{name}" for name in compared)
        counts = con.execute(
            f"SELECT {gammas}, sum(pairs)::BIGINT * {part} AS pairs FROM {shown.physical_name}"
            f" WHERE taken & {1 << place} > 0 GROUP BY {gammas} ORDER BY {gammas}"
        ).fetchnumpy()
        patterns.append(Patterns(session, compared, counts))
    shown.drop_table_from_database_and_remove_from_cache()
    for name in ("training_pair", "training_blocked"):
        con.execute(f"DROP TABLE {name}")
    return patterns


def _at_random(con: duckdb.DuckDBPyConnection, table: str, seed: int) -> pl.DataFrame:
    """U_PAIRS pairs of records, each drawn by itself, or all pairs if there are no more. Splink pairs a few records
    with one another instead (some 1,400 for a million pairs), and the share of a common name then is no surer than in
    these few."""
    records = con.execute(f"SELECT unique_id FROM {table} ORDER BY 1").fetchnumpy()["unique_id"]
    if len(records) * (len(records) - 1) // 2 <= policy.U_PAIRS:
        left, right = np.triu_indices(len(records), 1)
    else:
        left, right = np.sort(np.random.default_rng(seed).integers(len(records), size=(2, policy.U_PAIRS)), axis=0)
        left, right = left[left < right], right[left < right]
    return pl.DataFrame({"left_id": records[left], "right_id": records[right]})


def _narrow_u(
    levels: list[dict[str, Any]], patterns: dict[str, Any], source: Comparison, others: dict[str, Comparison]
) -> None:
    """Set u to the share among the pairs that `among` names, drawn to the share among all as strongly as by
    MIN_SESSION_PAIRS pairs."""
    kept = np.ones(len(patterns["pairs"]), dtype=bool)
    for name, words in source.among.items():
        if name in others:
            last = len(others[name].levels) - 1
            at = [last - place for place, level in enumerate(others[name].levels) if level.words in words]
            kept &= np.isin(patterns[f"gamma_{name}"], at)
    found = pairs_by_level(
        {key: np.asarray(column)[kept] for key, column in patterns.items()}, source.name, len(levels)
    )
    for level, pairs in zip(levels, found, strict=True):
        if "u_probability" in level and not level.get("fix_u_probability"):
            drawn = pairs + MIN_SESSION_PAIRS * level["u_probability"]
            level["u_probability"] = drawn / (sum(found) + MIN_SESSION_PAIRS)


def _set_u(levels: list[dict[str, Any]], patterns: dict[str, Any], name: str) -> None:
    found = pairs_by_level(patterns, name, len(levels))
    for level, pairs in zip(levels, found, strict=True):
        if pairs and not level.get("fix_u_probability"):
            level["u_probability"] = pairs / sum(found)
