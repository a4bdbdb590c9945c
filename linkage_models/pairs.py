"""The evidence of one pair of records, compared whether or not a blocking rule would have let it in."""

from collections.abc import Mapping
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
    certain rule. `near` are the blocking rules that but one key kept from bringing the pair together: (rule, key,
    whether both records have the key at all)."""

    weight: float
    prior: float
    evidence: tuple[tuple[str, str, float], ...]
    blocked_by: str | None
    certain_by: str | None
    near: tuple[tuple[str, str, bool], ...] = ()


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
    rules = DESIGNS[model.design].rules
    return PairEvidence(
        weight,
        prior,
        evidence,
        _first_rule(con, table, rules),
        _first_rule(con, table, CERTAIN),
        _near_rules(con, table, rules),
    )


def _first_rule(con: duckdb.DuckDBPyConnection, table: str, rules: dict[str, tuple[str, ...]]) -> str | None:
    """The first rule on all of whose columns the two records agree."""
    for name, keys in rules.items():
        met = f"SELECT count(*) FROM {table} l JOIN {table} r ON l.unique_id < r.unique_id AND ({agreement_sql(keys)})"
        if con.execute(met).fetchall()[0][0]:
            return name
    return None


def _near_rules(
    con: duckdb.DuckDBPyConnection, table: str, rules: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[str, str, bool], ...]:
    """The rules of several keys that all hold but one: (rule, the key that does not, whether both records have it)."""
    keys = sorted({key for rule in rules.values() for key in rule})
    asked = []
    for key in keys:
        first, _, second = key.removesuffix("[]").partition("=")
        known = " AND ".join(f"{side}.{column} IS NOT NULL" for side in "lr" for column in {first, second or first})
        asked.append(f"coalesce({agreement_sql((key,))}, false), {known}")
    (row,) = con.execute(
        f"SELECT {', '.join(asked)} FROM {table} l JOIN {table} r ON l.unique_id < r.unique_id"
    ).fetchall()
    agrees, known_of = dict(zip(keys, row[::2], strict=True)), dict(zip(keys, row[1::2], strict=True))
    lacking = {name: [key for key in rule if not agrees[key]] for name, rule in rules.items() if len(rule) > 1}
    return tuple((name, found[0], known_of[found[0]]) for name, found in lacking.items() if len(found) == 1)
