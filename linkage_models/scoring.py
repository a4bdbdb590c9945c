"""Score pairs: blocking, the deterministic tier, the model. Edges hold ids, weights and comparison levels, never
values."""

from dataclasses import dataclass, field

import duckdb

from linkage_models import thresholds as policy
from linkage_models.calibration import face_value
from linkage_models.linker import predict_into
from linkage_models.models import Model
from linkage_models.person import blocking, deterministic
from linkage_models.person.designs import DESIGNS

_NAMED = ["record_id", "source_dataset"]


@dataclass(frozen=True)
class CertainRule:
    """A deterministic rule beside the model: the pairs it holds for, and how many of them the model links too."""

    rule: str
    pairs: int
    model_agrees: int


@dataclass(frozen=True)
class Scored:
    """What scoring did; the edges are in the table that `score` was given. `query` is the one that Splink wrote."""

    pairs: int
    rules: list[blocking.RuleCost] = field(default_factory=list)
    query: str | None = None


def score(
    con: duckdb.DuckDBPyConnection,
    table: str,
    model: Model,
    target: str,
    touching: str | None = None,
    planned: list[blocking.Planned] | None = None,
    query: str | None = None,
) -> Scored:
    """Write the table `target`: one row per compared pair of `table` (as person.records writes it).

    Columns: record_l < record_r, source_l, source_r, match_weight (raised where a deterministic rule holds),
    match_probability, match_key (the deterministic rule, or the first blocking rule that holds), tier, model_version,
    gamma_*, model_weight, rules (all that hold, as blocking.block writes them). With `touching` (unique_id) only the
    pairs that hold one of these records are scored, exactly as they would be among all. `query` is what an earlier call
    on the same incremental.scoring_basis returned. Raises blocking.PairBudgetExceeded before any pair is made.
    """
    planned = planned or blocking.plan(con, table, DESIGNS[model.design].rules, DESIGNS[model.design].spare)
    costs = [each.cost for each in planned]
    blocking.block(con, table, planned, "person_pair", touching)
    (pairs,) = con.execute("SELECT count(*) FROM person_pair").fetchall()[0]
    if pairs == 0:
        con.execute("DROP TABLE person_pair")
        _no_edges(con, target, model)
        return Scored(0, costs, query)
    con.execute(
        "CREATE OR REPLACE TEMP VIEW person_blocked AS SELECT rules AS match_key, left_id AS join_key_l,"
        " right_id AS join_key_r FROM person_pair"
    )
    # term frequencies come from the model, so fewer records change no score
    some = """TEMP TABLE record_to_score AS -- the records of these pairs
        SELECT * FROM {} WHERE unique_id IN (SELECT left_id FROM person_pair UNION SELECT right_id FROM person_pair)"""
    con.execute("CREATE OR REPLACE " + (some if touching else "TEMP VIEW record_to_score AS FROM {}").format(table))
    # Splink gives the comparison levels only beside the compared values, of which _edges keeps none
    settings = model.settings | {
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": "l.unique_id = r.unique_id", "sql_dialect": "duckdb"}
        ],
        "retain_matching_columns": True,
        "additional_columns_to_retain": [*deterministic.COLUMNS, *_NAMED],
    }
    kept = _edges(model, [each.cost.rule for each in planned])
    query = predict_into(con, "record_to_score", settings, model.terms, kept, target, "person_blocked", query)
    con.execute("DROP VIEW person_blocked")
    con.execute("DROP TABLE person_pair")
    con.execute(f"DROP {'TABLE' if touching else 'VIEW'} record_to_score")
    return Scored(pairs, costs, query)


def _edges(model: Model, rules: list[str]) -> str:
    """Query of the edges from Splink's `predicted`."""
    first = " ".join(f"WHEN rules & {1 << place} > 0 THEN '{name}'" for place, name in enumerate(rules))
    gammas = ", ".join(f"gamma_{name}" for name in model.comparisons)
    return f"""-- one row per compared pair
        SELECT record_id_l AS record_l, record_id_r AS record_r, source_dataset_l AS source_l,
            source_dataset_r AS source_r, match_weight,
            {(model.calibration or face_value()).probability_sql("match_weight")} AS match_probability,
            coalesce(certain_key, CASE {first} END) AS match_key,
            CASE WHEN certain_key IS NULL THEN 'model' ELSE 'deterministic' END AS tier,
            '{model.version}' AS model_version, {gammas}, model_weight, rules
        FROM (
            SELECT *, CASE WHEN certain_key IS NULL THEN model_weight
                ELSE greatest(model_weight, {policy.DETERMINISTIC_WEIGHT}) END AS match_weight
            FROM (
                SELECT * EXCLUDE (match_weight, match_key), match_weight AS model_weight, match_key AS rules,
                    {deterministic.deterministic_key_sql()} AS certain_key
                FROM predicted
            )
        )"""


def certain_rules(con: duckdb.DuckDBPyConnection, edges: str) -> list[CertainRule]:
    """The deterministic tier beside the model, over edges with model_weight."""
    found = con.execute(
        f"""-- one row per deterministic rule
        SELECT match_key, count(*), count(*) FILTER (model_weight >= {policy.LINK_WEIGHT})
        FROM {edges} WHERE tier = 'deterministic' GROUP BY 1 ORDER BY 1"""
    ).fetchall()
    return [CertainRule(*row) for row in found]


def _no_edges(con: duckdb.DuckDBPyConnection, target: str, model: Model) -> None:
    gammas = ", ".join(f"gamma_{name} INTEGER" for name in model.comparisons)
    con.execute(
        f"CREATE OR REPLACE TABLE {target} (record_l VARCHAR, record_r VARCHAR, source_l VARCHAR, source_r VARCHAR,"
        f" match_weight DOUBLE, match_probability DOUBLE, match_key VARCHAR, tier VARCHAR, model_version VARCHAR,"
        f" {gammas}, model_weight DOUBLE, rules BIGINT)"
    )
