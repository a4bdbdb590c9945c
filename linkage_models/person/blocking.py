"""Which pairs are looked at: household-proof rules, their cost known before they run.

A rule is a set of columns that must all agree; `a=b` sets a column of one record against another of the other. None
lets a pair in for home and surname alone: that is a family.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from linkage_models.thresholds import PAIR_BUDGET_FLOOR, PAIR_BUDGET_PER_RECORD

RULES: dict[str, tuple[str, ...]] = {
    "nino": ("nino",),
    "nhs_number": ("nhs_number",),
    "birth_date_surname": ("birth_date", "surname_phonetic"),
    "birth_date_forename": ("birth_date", "forename_root"),
    "birth_date_swapped_names": ("birth_date", "name_key"),
    "home_forename": ("home_key", "forename_root"),
    "home_initial": ("home_key", "initial"),
    "home_birth_date": ("home_key", "birth_date"),
    "home_swapped_names": ("home_key", "name_key"),
    "postcode_surname_initial": ("postcode", "surname_phonetic", "initial"),
    "postcode_forename_birth_year": ("postcode", "forename_root", "birth_year"),
    "names_birth_year": ("forename_root", "surname_phonetic", "birth_year"),
    "home_given_names": ("home_key", "given_key"),
    "full_name": ("forename", "surname_key"),
    "moved_away": ("surname_key", "initial", "month_out=month_in"),
    "moved_here": ("surname_key", "initial", "month_in=month_out"),
    "phone": ("phone", "initial"),
    "email": ("email", "initial"),
}


class PairBudgetExceeded(ValueError):
    """The blocking rules would make more pairs than the budget allows."""


@dataclass(frozen=True)
class RuleCost:
    """What one rule makes by itself: pairs (those of other rules included) and the records of its largest block."""

    rule: str
    pairs: int
    largest_block: int


def usable_rules(columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The rules whose columns are all at hand."""
    at_hand = set(columns)
    return {
        name: keys
        for name, keys in RULES.items()
        if at_hand.issuperset(part for key in keys for part in key.split("="))
    }


def rule_costs(con: duckdb.DuckDBPyConnection, table: str, rules: dict[str, tuple[str, ...]]) -> list[RuleCost]:
    """Count each rule's pairs in `table` without making them."""
    return [RuleCost(name, *con.execute(_cost_sql(table, keys)).fetchall()[0]) for name, keys in rules.items()]


def _cost_sql(table: str, keys: tuple[str, ...]) -> str:
    left, right = ([key.split("=")[side] for key in keys] for side in (0, -1))

    def blocks(columns: list[str]) -> str:
        known = " AND ".join(f"{column} IS NOT NULL" for column in columns)
        named = ", ".join(f"{column} AS k{place}" for place, column in enumerate(columns))
        return f"(SELECT {named}, count(*)::HUGEINT AS n FROM {table} WHERE {known} GROUP BY ALL)"

    if left == right:
        return f"SELECT coalesce(sum(n * (n - 1) // 2), 0)::BIGINT, coalesce(max(n), 0)::BIGINT FROM {blocks(left)}"
    using = ", ".join(f"k{place}" for place in range(len(keys)))
    # a pair comes up once in each direction; Splink keeps the one with the smaller id on the left
    return (
        f"SELECT coalesce(sum(a.n * b.n) // 2, 0)::BIGINT, coalesce(max(a.n + b.n), 0)::BIGINT"
        f" FROM {blocks(left)} a JOIN {blocks(right)} b USING ({using})"
    )


def costs_touching(
    con: duckdb.DuckDBPyConnection, table: str, touching: str, rules: dict[str, tuple[str, ...]]
) -> list[RuleCost]:
    """Count each rule's pairs that hold a record of `touching` (unique_id), without making them; no block is sized."""
    return [
        RuleCost(name, con.execute(f"SELECT count(*) FROM {_touching_sql(table, touching, keys)}").fetchall()[0][0], 0)
        for name, keys in rules.items()
    ]


def pairs_touching(
    con: duckdb.DuckDBPyConnection, table: str, touching: str, rules: dict[str, tuple[str, ...]], target: str
) -> None:
    """Write the temporary table `target` (match_key, join_key_l < join_key_r) as Splink makes it of all records, but
    only the pairs that hold a record of `touching` (unique_id). The match key numbers the first rule a pair meets."""
    each = " UNION ALL ".join(
        f"SELECT {place} AS rule, unique_id_l, unique_id_r FROM {_touching_sql(table, touching, keys)}"
        for place, keys in enumerate(rules.values())
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT min(rule)::VARCHAR AS match_key, unique_id_l AS join_key_l,"
        f" unique_id_r AS join_key_r FROM ({each}) GROUP BY ALL"
    )


def _touching_sql(table: str, touching: str, keys: tuple[str, ...]) -> str:
    """The pairs of one rule that hold a record of `touching`, once or twice."""
    some = f"(SELECT * FROM {table} SEMI JOIN {touching} USING (unique_id))"
    pair = "SELECT l.unique_id AS unique_id_l, r.unique_id AS unique_id_r FROM"
    agree = f"l.unique_id < r.unique_id AND {agreement_sql(keys)}"
    return f"({pair} {some} l JOIN {table} r ON {agree} UNION ALL {pair} {table} l JOIN {some} r ON {agree})"


def check_budget(costs: list[RuleCost], records: int) -> None:
    """Raise PairBudgetExceeded, naming the dearest rule, if the rules together could pass the budget."""
    budget = max(PAIR_BUDGET_FLOOR, records * PAIR_BUDGET_PER_RECORD)
    total = sum(cost.pairs for cost in costs)
    if total > budget:
        dearest = max(costs, key=lambda cost: cost.pairs)
        raise PairBudgetExceeded(
            f"blocking would compare {total:,} pairs, the budget is {budget:,}; the rule {dearest.rule!r} alone makes"
            f" {dearest.pairs:,}, its largest block holds {dearest.largest_block:,} records"
        )


def as_settings(rules: dict[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """The rules as Splink reads them."""
    return [{"blocking_rule": agreement_sql(keys), "sql_dialect": "duckdb"} for keys in rules.values()]


def agreement_sql(keys: tuple[str, ...]) -> str:
    """The condition that the records l and r agree on all keys of a rule."""
    return " AND ".join(f"l.{key.split('=')[0]} = r.{key.split('=')[-1]}" for key in keys)
