"""What the blocking rules brought together of the true pairs: in all, and by rule."""

from collections.abc import Sequence
from typing import Any

import duckdb


def judge_blocking(
    con: duckdb.DuckDBPyConnection, edges: str, judged: str, rules: Sequence[str]
) -> tuple[float, list[dict[str, Any]]]:
    """The share of true pairs that were compared, and a row per rule that made pairs: how many, how many of them are
    true, and how many true pairs no other rule makes.

    `edges` has record_l, record_r, rules (a bit for each of `rules`); `judged` is as rates.judge writes it.
    """
    patterns = con.execute(
        f"""-- one row per set of rules
        SELECT e.rules, count(*), count(*) FILTER (l.person = r.person)
        FROM {edges} e JOIN {judged} l ON l.record_id = e.record_l JOIN {judged} r ON r.record_id = e.record_r
        GROUP BY e.rules"""
    ).fetchall()
    ((every,),) = con.execute(f"SELECT coalesce(sum(of_person - 1), 0) / 2 FROM {judged}").fetchall()
    rows = []
    for place, name in enumerate(rules):
        made = [(mask, pairs, true) for mask, pairs, true in patterns if mask >> place & 1]
        if made:
            alone = sum(true for mask, _, true in made if mask == 1 << place)
            pairs, found = sum(each[1] for each in made), sum(each[2] for each in made)
            rows.append({"rule": name, "pairs": pairs, "true pairs": found, "true pairs of no other rule": alone})
    rows.sort(key=lambda row: -row["true pairs"])
    return sum(true for *_, true in patterns) / every if every else 0.0, rows
