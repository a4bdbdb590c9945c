"""Score pairs: blocking, the deterministic tier, the model. Edges hold ids, weights and comparison levels, never
values."""

from dataclasses import dataclass, field
from typing import Any

import duckdb
from splink import DuckDBAPI
from splink.internals.splink_dataframe import SplinkDataFrame

from linkage_models import thresholds as policy
from linkage_models.calibration import face_value
from linkage_models.models import Model
from linkage_models.person import blocking, deterministic
from linkage_models.training import linker_for


@dataclass(frozen=True)
class Scored:
    """What scoring did; the edges are in the temporary table that `score` was given."""

    pairs: int
    deterministic: dict[str, int]
    rules: list[blocking.RuleCost] = field(default_factory=list)


def score(con: duckdb.DuckDBPyConnection, table: str, model: Model, target: str, touching: str | None = None) -> Scored:
    """Write the temporary table `target`: one row per compared pair of `table` (as person.records writes it).

    Columns: unique_id_l < unique_id_r, match_weight, match_probability, match_key (the blocking or deterministic
    rule), tier, gamma_*. With `touching` (unique_id) only the pairs that hold one of these records are scored, exactly
    as they would be among all. Raises blocking.PairBudgetExceeded before any pair is made.
    """
    records = con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    if touching is None:
        costs = blocking.rule_costs(con, table, blocking.RULES)
    else:
        costs = blocking.costs_touching(con, table, touching, blocking.RULES)
    blocking.check_budget(costs, records)
    gammas = ", ".join(f"p.gamma_{name}" for name in model.comparisons)
    probability = (model.calibration or face_value()).probability_sql("match_weight")
    if sum(cost.pairs for cost in costs) == 0:
        _no_edges(con, target, model)
        return Scored(0, {}, costs)
    # Splink gives the comparison levels only beside the compared values; these stay in this passing table
    settings = model.settings | {
        "blocking_rules_to_generate_predictions": blocking.as_settings(blocking.RULES),
        "retain_matching_columns": True,
    }
    if touching is None:
        predicted = linker_for(con, table, settings, model.terms).inference.predict()
    else:
        predicted = _predict_touching(con, table, touching, settings, model)
    names = list(blocking.RULES)
    key = deterministic.deterministic_key_sql()
    con.execute(
        f"""-- one row per compared pair
        CREATE OR REPLACE TEMP TABLE {target} AS
        SELECT *, {probability} AS match_probability FROM (
        WITH keyed AS (
            SELECT p.*, {key} AS certain_key
            FROM {predicted.physical_name} p
            JOIN {table} l ON l.unique_id = p.unique_id_l
            JOIN {table} r ON r.unique_id = p.unique_id_r
        )
        SELECT p.unique_id_l, p.unique_id_r,
            CASE WHEN certain_key IS NULL THEN p.match_weight ELSE greatest(p.match_weight,
                {policy.DETERMINISTIC_WEIGHT}) END AS match_weight,
            coalesce(certain_key, {names!r}[p.match_key::INTEGER + 1]) AS match_key,
            CASE WHEN certain_key IS NULL THEN 'model' ELSE 'deterministic' END AS tier,
            {gammas}
        FROM keyed p)"""
    )
    predicted.drop_table_from_database_and_remove_from_cache()
    found = con.execute(
        f"SELECT match_key, count(*) FROM {target} WHERE tier = 'deterministic' GROUP BY ALL ORDER BY 1"
    ).fetchall()
    pairs = con.execute(f"SELECT count(*) FROM {target}").fetchall()[0][0]
    return Scored(pairs, dict(found), costs)


def _predict_touching(
    con: duckdb.DuckDBPyConnection, table: str, touching: str, settings: dict[str, Any], model: Model
) -> SplinkDataFrame:
    """Splink's scores of the pairs that hold a record of `touching`: blocked here, scored among their records alone."""
    blocking.pairs_touching(con, table, touching, blocking.RULES, "pair_to_score")
    con.execute(
        f"""-- the records of these pairs; term frequencies come from the model, so fewer records change no score
        CREATE OR REPLACE TEMP TABLE record_to_score AS SELECT * FROM {table} WHERE unique_id IN (
            SELECT join_key_l FROM pair_to_score UNION SELECT join_key_r FROM pair_to_score)"""
    )
    linker = linker_for(con, "record_to_score", settings, model.terms)
    pairs = DuckDBAPI(con).register("pair_to_score", dataset_display_name="pair_to_score")
    linker.table_management.register_blocked_pairs_for_predict(pairs)
    predicted = linker.inference.predict()
    con.execute("DROP TABLE record_to_score")
    con.execute("DROP TABLE pair_to_score")
    return predicted


def _no_edges(con: duckdb.DuckDBPyConnection, target: str, model: Model) -> None:
    gammas = ", ".join(f"gamma_{name} INTEGER" for name in model.comparisons)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {target} (unique_id_l BIGINT, unique_id_r BIGINT, match_weight DOUBLE,"
        f" match_key VARCHAR, tier VARCHAR, {gammas}, match_probability DOUBLE)"
    )
