"""How far reviewers agree: Cohen's kappa over items that two looked at, and checks whose answer is known."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.operations import Operations
from review_app.answers import FIRM, alike
from review_app.tables import verdict_table


@dataclass(frozen=True)
class Agreement:
    """`pairs` of firm answers; `share` that agree; Cohen's kappa with its standard error (Cohen 1960); None where the
    answers are too few or all alike."""

    pairs: int
    share: float | None
    kappa: float | None
    error: float | None
    checks: int
    checks_right: int
    verdicts: dict[str, int]
    days: list[tuple[str, int]]


def kappa(pairs: Sequence[tuple[bool, bool]]) -> tuple[float, float] | None:
    """Kappa and its standard error over pairs of yes-no answers; None where chance alone would always agree."""
    n = len(pairs)
    if n == 0:
        return None
    seen = sum(a == b for a, b in pairs) / n
    first, second = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    chance = first * second + (1 - first) * (1 - second)
    if chance == 1:
        return None
    return (seen - chance) / (1 - chance), math.sqrt(seen * (1 - seen) / n) / (1 - chance)


def agreement(operations: Operations, labelled: Mapping[str, str]) -> Agreement:
    """Over all verdicts that stand; `labelled` are the answers of checks that came in a file."""
    undone = sa.select(verdict_table.c.undoes).where(verdict_table.c.undoes.is_not(None))
    query = (
        sa.select(verdict_table)
        .where(verdict_table.c.verdict_id.not_in(undone), verdict_table.c.verdict != "undo")
        .order_by(verdict_table.c.verdict_id)
    )
    rows = [dict(row) for row in operations.rows(verdict_table, query)]
    by_item: dict[str, dict[str, str]] = defaultdict(dict)
    known = dict(labelled)
    for row in rows:
        if row["verdict"] in FIRM and row["part"] != "gold":
            by_item[row["item_id"]][row["part"]] = row["verdict"]
            known[row["item_id"]] = row["verdict"]
    twice = [(each["first"], each["second"]) for each in by_item.values() if {"first", "second"} <= each.keys()]
    checks = [row for row in rows if row["part"] == "gold" and row["verdict"] in FIRM and row["item_id"] in known]
    answers = [(one == "same", other == "same") for one, other in twice]
    found = kappa(answers)
    days = Counter(row["made_at"][:10] for row in rows)
    return Agreement(
        len(twice),
        sum(a == b for a, b in answers) / len(answers) if answers else None,
        found[0] if found else None,
        found[1] if found else None,
        len(checks),
        sum(alike(known[row["item_id"]], row["verdict"]) for row in checks),
        dict(Counter(row["verdict"] for row in rows)),
        sorted(days.items())[-14:],
    )
