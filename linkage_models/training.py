"""Train a person model without labels: u from random pairs, m by expectation maximisation, the prior from certain pairs."""

import logging
from collections.abc import Iterable
from datetime import date
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker

from linkage_models import thresholds as policy
from linkage_models.models import CORE, Model, version_name
from linkage_models.person import blocking, comparisons, deterministic
from linkage_models.person.records import columns_at_hand

# Each comparison is trained by the sessions whose rule shares no column with it.
SESSIONS: tuple[tuple[str, ...], ...] = (
    ("forename_root", "birth_date"),
    ("home_key", "surname_key"),
    ("surname_key", "birth_date"),
    ("surname_phonetic", "postcode"),
)
TERM_COLUMNS = ("forename", "surname_key")
MIN_SESSION_PAIRS = 200
_FLOOR = 1e-6
# EM may call a level impossible among matches; data are never that clean.
LEAST_M = 5e-5


class TrainingFailed(RuntimeError):
    """Training gave no usable model; the message says which step and why."""


def train(con: duckdb.DuckDBPyConnection, table: str, day: date, population: int, seed: int = 1, note: str = "") -> Model:
    """Train on `table` (as person.records.link_table writes it). `population` is the number of people it stands for.

    Raises TrainingFailed if EM does not converge or a comparison could not be trained.
    """
    columns = columns_at_hand(con, table)
    chosen = comparisons.person_comparisons(columns)
    records = con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    if not {each.name for each in chosen} or records < 2:
        raise TrainingFailed("there is nothing to train on: fewer than two records, or no column that tells people apart")
    prior = _prior(con, table, columns, records)
    terms = {column: _terms(con, table, column) for column in TERM_COLUMNS if column in columns}
    settings = _settings(chosen, columns, prior)
    linker = linker_for(con, table, settings, terms)
    linker.training.estimate_u_using_random_sampling(max_pairs=policy.U_PAIRS, seed=seed, min_count_per_level=None)
    sessions = _usable_sessions(con, table, columns)
    histories = {" + ".join(session): _maximise(linker, session) for session in sessions}
    trained = linker.misc.save_model_to_json()
    assumed = _settle(trained, chosen, prior)
    card = {
        "assumed": assumed,
        "records": records,
        "note": note,
        "seed": seed,
        "columns": sorted(columns),
        "iterations": histories,
        "rare_terms_pooled_below": policy.RARE_TERM_COUNT,
        "calibrated": False,
    }
    return Model(version_name(day), population, trained, terms, card)


def linker_for(con: duckdb.DuckDBPyConnection, table: str, settings: dict[str, Any], terms: dict[str, dict[str, float]]) -> Linker:
    """A Splink linker over `table` that reads the given term frequencies instead of counting its own."""
    api = DuckDBAPI(con)
    linker = Linker(api.register(table, dataset_display_name="records"), settings, log_level=None)
    for column, frequencies in terms.items():
        name = f"term_{column}"
        frame = _frame(column, frequencies)
        con.register("term_lookup", frame)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT v.{column}, coalesce(t.frequency, {frequencies['']}) AS tf_{column}"
            f" FROM (SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL) v LEFT JOIN term_lookup t ON t.value = v.{column}"
        )
        con.unregister("term_lookup")
        linker.table_management.register_term_frequency_lookup(api.register(name, dataset_display_name=name), column)
    return linker


def _frame(column: str, frequencies: dict[str, float]) -> Any:
    import polars as pl

    known = {value: frequency for value, frequency in frequencies.items() if value}
    return pl.DataFrame({"value": list(known), "frequency": list(known.values())}, schema={"value": pl.String, "frequency": pl.Float64})


def _settings(chosen: list[comparisons.Comparison], columns: Iterable[str], prior: float) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "source_dataset_column_name": "source_dataset",
        "comparisons": [comparisons.as_settings(each) for each in chosen],
        "blocking_rules_to_generate_predictions": blocking.as_settings(blocking.usable_rules(columns)),
        "probability_two_random_records_match": prior,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "em_convergence": policy.EM_CONVERGENCE,
        "max_iterations": policy.EM_ITERATIONS,
        "sql_dialect": "duckdb",
    }


def _prior(con: duckdb.DuckDBPyConnection, table: str, columns: set[str], records: int) -> float:
    """Probability of a match: pairs that meet a deterministic rule, over the share of true pairs such rules find."""
    rules = {name: keys for name, keys in deterministic.RULES.items() if columns.issuperset(keys)}
    if not rules:
        rules = {"names_birth_date": tuple(sorted(columns & {"forename_root", "surname_key", "birth_date", "home_key"}))}
    pairs = " UNION ".join(
        f"SELECT l.unique_id AS a, r.unique_id AS b FROM {table} l JOIN {table} r ON "
        + " AND ".join(f"l.{key} = r.{key}" for key in keys)
        + " AND l.unique_id < r.unique_id"
        for keys in rules.values()
    )
    certain = con.execute(f"SELECT count(*) FROM ({pairs})").fetchall()[0][0]
    every = records * (records - 1) / 2
    return min(max(certain, 1) / policy.PRIOR_RULE_RECALL / every, 0.2)


def _terms(con: duckdb.DuckDBPyConnection, table: str, column: str) -> dict[str, float]:
    """Value -> share of records; values seen fewer than RARE_TERM_COUNT times are pooled under ''."""
    rows = con.execute(f"SELECT {column}, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY ALL ORDER BY 1").fetchall()
    total = sum(count for _, count in rows)
    kept = {value: count / total for value, count in rows if count >= policy.RARE_TERM_COUNT}
    pooled = [count for _, count in rows if count < policy.RARE_TERM_COUNT]
    kept[""] = (sum(pooled) / len(pooled) if pooled else 1.0) / total
    return kept


def _usable_sessions(con: duckdb.DuckDBPyConnection, table: str, columns: set[str]) -> list[tuple[str, ...]]:
    rules = {" + ".join(session): session for session in SESSIONS if columns.issuperset(session)}
    costs = {cost.rule: cost.pairs for cost in blocking.rule_costs(con, table, rules)}
    usable = [session for name, session in rules.items() if costs[name] >= MIN_SESSION_PAIRS]
    if not usable:
        raise TrainingFailed(f"no training rule makes {MIN_SESSION_PAIRS} pairs: too few records share a name, birth date or home")
    return usable[:2] if len(usable) > 2 else usable


def _maximise(linker: Linker, session: tuple[str, ...]) -> int:
    """One EM session; returns its iterations. Splink calls itself converged at its limit too, so the limit is a failure."""
    rule = " AND ".join(f"l.{column} = r.{column}" for column in session)
    logging.getLogger("splink").setLevel(logging.ERROR)
    run = linker.training.estimate_parameters_using_expectation_maximisation(
        rule, estimate_without_term_frequencies=True, max_pairs=policy.EM_PAIRS, record_sample_proportion=1.0
    )
    iterations = len(run._core_model_settings_history) - 1
    if iterations >= policy.EM_ITERATIONS:
        raise TrainingFailed(f"expectation maximisation did not converge in {iterations} iterations on {' + '.join(session)}")
    return iterations


def _settle(trained: dict[str, Any], chosen: list[comparisons.Comparison], prior: float) -> list[str]:
    """Fill what no pair showed, and take the true matches out of u: random pairs hold `prior` of them.

    Returns the comparisons of which EM saw no pair (an identifier that one source alone holds): they keep assumed values.
    """
    assumed = []
    for comparison, source in zip(trained["comparisons"], chosen, strict=True):
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        if all("m_probability" not in level or level.get("fix_m_probability") for level in levels):
            if source.name in CORE:
                raise TrainingFailed(f"no training rule could estimate the comparison {source.name!r}")
            assumed.append(source.name)
        for level, known in zip(levels, source.levels, strict=True):
            if not level.get("fix_m_probability"):
                level["m_probability"] = max(level.get("m_probability", known.m), LEAST_M)
            level.setdefault("u_probability", _FLOOR)
            if not level.get("fix_u_probability"):
                observed = level["u_probability"]
                level["u_probability"] = max((observed - prior * level["m_probability"]) / (1 - prior), observed / 20, _FLOOR / 100)
    return assumed
