"""What blocking found of the true pairs, estimated without the truth.

The rules fall into families that rest on different columns (`families` of a design). Estimator: Chao's lower bound for
the unseen (Chao 1987, capture-recapture with unequal catchability) over the families as occasions, on the sum of match
probabilities: unseen >= f1^2 / (2 f2), where f1 pairs were found by exactly one family and f2 by exactly two. It
allows for pairs that are hard for every family, as far as those found once show it; pairs that no rule could ever find
stay outside, so the recall is an upper bound.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from linkage_models.person.designs import Design


@dataclass(frozen=True)
class RuleCoverage:
    """Of one rule: the matches (sum of match probabilities) it finds, and those that no earlier rule finds."""

    rule: str
    matches: float
    marginal: float
    pairs: int
    marginal_pairs: int


@dataclass(frozen=True)
class Coverage:
    """`recall`: estimated share of the true pairs that blocking compared; by rule, what each brought."""

    matches: float
    recall: float
    rules: list[RuleCoverage]


def families_sql(design: Design, rules: str = "rules") -> str:
    """SQL: by how many families of rules a pair was found; `rules` is its set of rules, a bit each."""
    names = list(design.rules)
    bits = (sum(1 << names.index(rule) for rule in members) for members in design.families.values())
    return " + ".join(f"({rules} & {held} > 0)::INTEGER" for held in bits)


def coverage(con: duckdb.DuckDBPyConnection, edges: str, design: Design) -> Coverage:
    """Estimate from scored edges (rules, match_probability) of that design."""
    return coverage_of(
        con.execute(
            f"SELECT rules, count(*), sum(match_probability) FROM {edges} GROUP BY rules ORDER BY rules"
        ).fetchall(),
        design,
    )


def coverage_of(patterns: Iterable[tuple[int, int, float]], design: Design) -> Coverage:
    """Estimate from what was scored by each set of rules: (rules, pairs, sum of match probabilities)."""
    names = list(design.rules)
    matches_of = {name: [0.0, 0.0] for name in names}
    pairs_of = {name: [0, 0] for name in names}
    by_families = [0.0] * (len(design.families) + 1)
    for mask, pairs, matches in patterns:
        held = [name for place, name in enumerate(names) if mask >> place & 1]
        for place, name in enumerate(held):
            for part in (0, 1) if place == 0 else (0,):
                matches_of[name][part] += matches
                pairs_of[name][part] += pairs
        by_families[sum(not members.isdisjoint(held) for members in design.families.values())] += matches
    found = sum(by_families)
    unseen = by_families[1] ** 2 / (2 * by_families[2]) if by_families[2] else float(by_families[1])
    return Coverage(
        found,
        found / (found + unseen) if found else 0.0,
        [RuleCoverage(name, matches, marginal, *pairs_of[name]) for name, (matches, marginal) in matches_of.items()],
    )
