"""EM over all pairs that the blocking rules find, after the sessions of training have given a first m."""

import math
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl

from linkage_models.linker import linker_for, predict_given, unweighed
from linkage_models.maximisation import SMOOTHING, Learnt, Rivals, maximise, pairs_by_level
from linkage_models.person import blocking, communities
from linkage_models.person.designs import Design
from linkage_models.person.general import shares_of_pairs
from linkage_models.thresholds import PRIOR_MOST

# The prior decides how much of u is true matches, u decides how many matches EM finds, these give the prior.
PASSES = 3


@dataclass(frozen=True)
class EveryPair:
    """How many pairs show each combination of levels (arrays gamma_<comparison> and pairs), of all that the blocking
    rules find, and which of them shut one another out."""

    counts: dict[str, Any]
    rivals: Rivals | None
    shares: dict[str, float]


def look_at_every_pair(
    con: duckdb.DuckDBPyConnection,
    table: str,
    settings: dict[str, Any],
    design: Design,
    columns: set[str],
    terms: dict[str, dict[str, float]],
) -> EveryPair:
    """What all pairs that the blocking rules of `design` find agree on, and how common it is; `settings` are
    Splink's."""
    blocking.block(con, table, blocking.plan(con, table, design.usable_rules(columns), design.spare), "training_pair")
    # as a plain join on the keys, DuckDB would make all pairs of a source
    con.execute(
        f"""-- one row per pair that may be of one person
        CREATE OR REPLACE TEMP TABLE training_blocked AS
        SELECT '0' AS match_key, left_id AS join_key_l, right_id AS join_key_r, l.one_person_key AS key_l,
            r.one_person_key AS key_r
        FROM training_pair p JOIN {table} l ON l.unique_id = p.left_id JOIN {table} r ON r.unique_id = p.right_id
        WHERE CASE WHEN l.one_person_key = r.one_person_key THEN false ELSE true END"""
    )
    names = [each["output_column_name"] for each in settings["comparisons"]]
    gammas = ", ".join(f"gamma_{name}" for name in names)
    alone = settings | {"comparisons": unweighed(settings["comparisons"]), "retain_matching_columns": True}
    kept = f"SELECT unique_id_l, unique_id_r, {gammas} FROM predicted"
    linker = linker_for(con, table, alone, {}, kept)
    predicted = predict_given(con, linker, "training_blocked")
    shares = shares_of_pairs(con, table)
    shared = _shared(con, table, settings, terms, shares)
    con.execute(
        f"""-- one row per pair: its levels, and half bits of how common what it shares is
        CREATE OR REPLACE TEMP TABLE training_seen AS
        SELECT unique_id_l, unique_id_r, {gammas}, round(2 * ({shared})) / 2 AS shared
        FROM {predicted.physical_name} JOIN training_common l ON l.unique_id = unique_id_l
        JOIN training_common r ON r.unique_id = unique_id_r"""
    )
    predicted.drop_table_from_database_and_remove_from_cache()
    gammas += ", shared"
    con.execute(
        f"""-- one row per pattern of levels
        CREATE OR REPLACE TEMP TABLE training_pattern AS
        SELECT *, row_number() OVER (ORDER BY {gammas}) - 1 AS pattern
        FROM (SELECT {gammas}, count(*) AS pairs FROM training_seen GROUP BY {gammas})"""
    )
    counts = con.execute("FROM training_pattern ORDER BY pattern").fetchnumpy()
    rivals = _rivals(con, "training_seen", gammas)
    for each in ("training_blocked", "training_pattern", "training_pair", "training_seen", "training_common"):
        con.execute(f"DROP TABLE {each}")
    return EveryPair(counts, rivals, shares)


def learn_from_every_pair(
    seen: EveryPair, trained: dict[str, Any], every: float, prior: float, most: dict[str, list[float]] | None
) -> Learnt:
    """EM once more over all pairs that the blocking rules find, from the m that the sessions gave.

    A session's pairs agree on two columns, and are less damaged than others; the rules together miss so few matches
    that what they find shows the damage as it is. Sets m, and u where blocking covers a level, in `trained`; raises
    NotConverged.
    """
    counts = seen.counts
    levels = {
        each["output_column_name"]: [x for x in each["comparison_levels"] if not x.get("is_null_level")]
        for each in trained["comparisons"]
    }
    for _ in range(PASSES):
        learnt = maximise(("every rule",), counts, levels, (every, prior), most, seen.rivals)
        prior = min(learnt.matches / every, PRIOR_MOST)
        for name, matches in learnt.counts.items():
            found = pairs_by_level(counts, name, len(levels[name]))
            for level, m, held, same in zip(
                levels[name], learnt.m[name].tolist(), found, matches.tolist(), strict=True
            ):
                if level.get("fix_m_probability"):
                    continue
                # what no pair shows is not known to speak for one person
                level["m_probability"] = m if held else min(m, level["u_probability"])
                # a level that blocking covers is counted, not sampled: what of it is no match
                if not level.get("fix_u_probability") and held >= level["u_probability"] * every / 2:
                    level["u_probability"] = (held - same + SMOOTHING) / every
    return learnt


def _shared(
    con: duckdb.DuckDBPyConnection,
    table: str,
    settings: dict[str, Any],
    terms: dict[str, dict[str, float]],
    shares: dict[str, float],
) -> str:
    """SQL: of a pair, log2 of the shares of records that have what it shares, the commoner of two, over the levels that
    are weighed by it. Writes training_common, one row per record: log2 of the share of each of its terms."""
    held, joins = ["unique_id"], ""
    for column, share in terms.items():
        if communities.is_axis(column):
            continue
        frame = pl.DataFrame({"value": list(share), f"{column}_share": list(share.values())})
        con.register(f"training_{column}", frame)
        held.append(f"log2(coalesce({column}_share, {share['']!r})) AS {column}")
        joins += f" LEFT JOIN training_{column} ON training_{column}.value = {column}"
    if communities.SURNAME in terms:
        communities.write_frequencies(con, table, terms, "training_full_name")
        held.append(f"log2(tf_{communities.COLUMN}) AS {communities.COLUMN}")
        joins += f" LEFT JOIN training_full_name USING ({communities.COLUMN})"
    con.execute(f"CREATE OR REPLACE TEMP TABLE training_common AS SELECT {', '.join(held)} FROM {table}{joins}")
    con.execute("DROP TABLE IF EXISTS training_full_name")
    for column in terms:
        con.unregister(f"training_{column}")
    cases = ["0"]
    for comparison in settings["comparisons"]:
        levels = [x for x in comparison["comparison_levels"] if not x.get("is_null_level")]
        for gamma, level in enumerate(reversed(levels)):
            # a column that is not among the terms is empty, or of one value that all share
            column = level.get("tf_adjustment_column")
            if column in terms or (column == communities.COLUMN and communities.SURNAME in terms):
                among = math.log2(shares.get(level["label_for_charts"], 1.0))
                commoner = f"greatest(l.{column}, r.{column}) + {among!r}"
                cases.append(f"CASE gamma_{comparison['output_column_name']} WHEN {gamma} THEN {commoner} ELSE 0 END")
    return " + ".join(cases)


def _rivals(con: duckdb.DuckDBPyConnection, predicted: str, gammas: str) -> Rivals | None:
    """Which pairs of `predicted` (unique_id_l, unique_id_r, gammas) shut one another out; None if no source holds each
    person once."""
    if not con.execute("SELECT count(key_l) + count(key_r) FROM training_blocked").fetchall()[0][0]:
        return None
    # where the other side may repeat a person, a pair has no rival: its number is its own
    found = con.execute(
        f"""-- one row per pair
        SELECT pattern,
            CASE WHEN key_r IS NULL THEN -1 ELSE dense_rank() OVER (ORDER BY unique_id_l, key_r) END AS l,
            CASE WHEN key_l IS NULL THEN -1 ELSE dense_rank() OVER (ORDER BY unique_id_r, key_l) END AS r
        FROM {predicted} JOIN training_pattern USING ({gammas})
        JOIN training_blocked ON join_key_l = unique_id_l AND join_key_r = unique_id_r
        ORDER BY unique_id_l, unique_id_r"""
    ).fetchnumpy()
    return Rivals(*(np.asarray(found[name]) for name in ("pattern", "l", "r")))
