"""Which pairs are looked at: household-proof rules, their cost known before they run.

A rule is a set of columns that must all agree. None lets a pair in for home and surname alone: that is a family.
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
    return {name: keys for name, keys in RULES.items() if at_hand.issuperset(keys)}


def rule_costs(con: duckdb.DuckDBPyConnection, table: str, rules: dict[str, tuple[str, ...]]) -> list[RuleCost]:
    """Count each rule's pairs in `table` without making them."""
    costs = []
    for name, keys in rules.items():
        known = " AND ".join(f"{key} IS NOT NULL" for key in keys)
        (row,) = con.execute(
            f"SELECT coalesce(sum(n * (n - 1) // 2), 0)::BIGINT, coalesce(max(n), 0)"
            f" FROM (SELECT count(*)::HUGEINT AS n FROM {table} WHERE {known} GROUP BY {', '.join(keys)})"
        ).fetchall()
        costs.append(RuleCost(name, *row))
    return costs


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
    return [
        {"blocking_rule": " AND ".join(f"l.{key} = r.{key}" for key in keys), "sql_dialect": "duckdb"} for keys in rules.values()
    ]
