"""The evidence of one pair of records, compared whether or not a blocking rule would have let it in."""

from dataclasses import dataclass

import duckdb

from linkage_models.linker import linker_for
from linkage_models.models import Model
from linkage_models.person.blocking import agreement_sql
from linkage_models.person.designs import DESIGNS
from linkage_models.person.deterministic import RULES as CERTAIN


@dataclass(frozen=True)
class PairEvidence:
    """`evidence` is (comparison, what agrees, weight) in bits; `prior` and these add up to `weight`, before any
    certain rule."""

    weight: float
    prior: float
    evidence: tuple[tuple[str, str, float], ...]
    blocked_by: str | None
    certain_by: str | None


def compare(con: duckdb.DuckDBPyConnection, table: str, model: Model) -> PairEvidence:
    """Compare the only two records of `table` (as person.records writes it)."""
    settings = model.settings | {
        "blocking_rules_to_generate_predictions": [{"blocking_rule": "1 = 1", "sql_dialect": "duckdb"}],
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
    }
    predicted = linker_for(con, table, settings, model.terms).inference.predict()
    result = con.execute(f"SELECT * FROM {predicted.physical_name}")
    names = [column[0] for column in result.description or ()]
    row = dict(zip(names, result.fetchall()[0], strict=True))
    predicted.drop_table_from_database_and_remove_from_cache()
    evidence = tuple(
        (
            name.replace("_", " "),
            model.level_words(name, row[f"gamma_{name}"]),
            round(row[f"mw_{name}"] + (row.get(f"mw_tf_adj_{name}") or 0.0), 2),
        )
        for name in model.comparisons
    )
    weight = float(row["match_weight"])
    prior = weight - sum(part for _, _, part in evidence)
    return PairEvidence(
        weight, prior, evidence, _first_rule(con, table, DESIGNS[model.design].rules), _first_rule(con, table, CERTAIN)
    )


def _first_rule(con: duckdb.DuckDBPyConnection, table: str, rules: dict[str, tuple[str, ...]]) -> str | None:
    """The first rule on all of whose columns the two records agree."""
    for name, keys in rules.items():
        met = f"SELECT count(*) FROM {table} l JOIN {table} r ON l.unique_id < r.unique_id AND {agreement_sql(keys)}"
        if con.execute(met).fetchall()[0][0]:
            return name
    return None
