"""How many planted cases the rules found, and how many innocent look-alikes they flagged: on invented data only."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.fraud.rules import RULES

STRENGTHS = ("high", "medium", "low")


def evaluate_flags(flagged: pl.DataFrame, planted: pl.DataFrame) -> list[dict[str, Any]]:
    """One row a rule and kind of planted case: how many were planted, and with which strength they came out.

    `flagged` has rule, subject_ref, other_ref, strength; `planted` is the truth's table of cases. A case counts as
    found when a pair of its rule names its subject, with its other reference where the case has one that any pair of
    the subject names; the strongest such pair counts.
    """
    order = {strength: place for place, strength in enumerate(STRENGTHS)}
    best: dict[tuple[str, str], str] = {}
    exact: dict[tuple[str, str, str], str] = {}
    for rule, subject, other, strength in flagged.select("rule", "subject_ref", "other_ref", "strength").iter_rows():
        for ref in (subject, other) if rule == "two_tenancies" else (subject,):
            _keep(best, (rule, ref), strength, order)
        _keep(exact, (rule, subject, other), strength, order)
        _keep(exact, (rule, other, subject), strength, order)
    counts: dict[tuple[str, bool, str], dict[str, int]] = {}
    for rule, kind, guilty, subject, other in planted.select(
        "rule", "kind", "guilty", "subject_ref", "other_ref"
    ).iter_rows():
        tally = counts.setdefault((rule, guilty, kind), {"planted": 0} | dict.fromkeys(STRENGTHS, 0))
        tally["planted"] += 1
        strength = exact.get((rule, subject, other)) or best.get((rule, subject))
        if strength:
            tally[strength] += 1
    places = {rule.name: place for place, rule in enumerate(RULES)}
    keys = sorted(counts, key=lambda key: (places.get(key[0], len(places)), not key[1], key[2]))
    return [{"rule": rule, "kind": kind, "guilty": guilty, **counts[rule, guilty, kind]} for rule, guilty, kind in keys]


def summarise(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By rule: planted, found (any strength), look-alikes, look-alikes flagged medium or high, and flagged low."""
    found: list[dict[str, Any]] = []
    for rule in RULES:
        mine = [row for row in rows if row["rule"] == rule.name]
        guilty = [row for row in mine if row["guilty"]]
        innocent = [row for row in mine if not row["guilty"]]
        found.append(
            {
                "rule": rule.name,
                "title": rule.title,
                "planted": sum(row["planted"] for row in guilty),
                "found": sum(row[strength] for row in guilty for strength in STRENGTHS),
                "found_medium_or_high": sum(row["medium"] + row["high"] for row in guilty),
                "look_alikes": sum(row["planted"] for row in innocent),
                "look_alikes_medium_or_high": sum(row["medium"] + row["high"] for row in innocent),
                "look_alikes_low": sum(row["low"] for row in innocent),
            }
        )
    return found


def _keep(kept: dict[Any, str], key: Any, strength: str, order: Mapping[str, int]) -> None:
    if key not in kept or order[strength] < order[kept[key]]:
        kept[key] = strength
