"""Blocking for several purpose views: each compares the pairs that its own records make, whatever lies outside it.

A crowd of records alike makes blocks too large, and too many pairs make all blocks smaller. That is judged in each view
by its records alone. A pair is scored once, if any view compares it; which views do not is told beside.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import duckdb
import numpy as np
import polars as pl

from linkage_models.person.blocking import (
    LaidOut,
    PairBudgetExceeded,
    Planned,
    Rule,
    RuleCost,
    found_pairs,
    lay_out,
    oversized_mark,
    records_of,
)
from linkage_models.person.blocks import Bools


@dataclass(frozen=True)
class ViewPlans:
    """`scored` is how the rules run for the pairs that are scored. `views` has of each view its records, by number, and
    how the rules run among them; it is empty where every view compares whatever is scored."""

    scored: list[Planned]
    mark: str
    views: dict[str, tuple[Bools, list[Planned]]] = field(default_factory=dict, repr=False)


def plan_views(
    con: duckdb.DuckDBPyConnection,
    table: str,
    rules: Mapping[str, Rule],
    spare: bool,
    views: Mapping[str, Collection[str]] | None,
) -> ViewPlans:
    """How the rules will run on `table` (as blocking.plan) for views that read some of its sources each; None: one that
    reads all. Raises PairBudgetExceeded where one view's pairs are too many."""
    laid = lay_out(con, table, rules)
    held = dict(con.execute(f"SELECT source_dataset, count(*) FROM {table} GROUP BY ALL").fetchall()) if views else {}
    reads = {view: frozenset(held).intersection(sources) for view, sources in (views or {}).items()}
    reads = {view: sources for view, sources in sorted(reads.items()) if sources}
    alike = all(len(sources) == len(held) for sources in reads.values())
    fewest = min((sum(held[source] for source in sources) for sources in reads.values()), default=0)
    if alike or laid.fits(fewest, spare):
        scored = laid.fitted(laid.every, spare)
        return ViewPlans(scored, oversized_mark(scored))
    made = {}
    for sources in dict.fromkeys(reads.values()):
        try:
            made[sources] = _of(con, table, laid, sources, spare)
        except PairBudgetExceeded as fault:
            named = " and ".join(view for view, read in reads.items() if read == sources)
            raise PairBudgetExceeded(f"in the view {named} {fault}") from None
    plans = {view: made[sources] for view, sources in reads.items()}
    marks = [(view, sorted(reads[view]), oversized_mark(planned)) for view, (_, planned) in plans.items()]
    return ViewPlans(_either({view: planned for view, (_, planned) in plans.items()}), repr(marks), plans)


def _of(
    con: duckdb.DuckDBPyConnection, table: str, laid: LaidOut, sources: Collection[str], spare: bool
) -> tuple[Bools, list[Planned]]:
    """The records of these sources, and the rules among them."""
    read = f"SELECT unique_id FROM {table} WHERE source_dataset IN (SELECT unnest(?))"
    records = np.zeros(len(laid.every), dtype=np.bool_)
    records[con.execute(read, [sorted(sources)]).fetchnumpy()["unique_id"]] = True
    return records, laid.fitted(records, spare)


def _either(views: Mapping[str, list[Planned]]) -> list[Planned]:
    """The rules so that they make the pairs of every view; their cost is that of the view where it is highest."""
    rules = []
    for of_views in zip(*views.values(), strict=True):
        costs = [each.cost for each in of_views]
        notes: dict[str, list[str]] = {}
        for view, cost in zip(views, costs, strict=True):
            if cost.note:
                notes.setdefault(cost.note, []).append(view)
        everywhere = [note for note, where in notes.items() if len(where) == len(views)]
        said = everywhere or [f"in {', '.join(where)}: {note}" for note, where in notes.items()]
        pairs, largest = max(cost.pairs for cost in costs), max(cost.largest_block for cost in costs)
        leaves_out = any(cost.leaves_out for cost in costs)
        cost = RuleCost(costs[0].rule, pairs, largest, "; ".join(said) or None, leaves_out)
        # views that read the same sources share their parts
        parts = {id(part): part for each in of_views for part in each.parts}
        rules.append(Planned(of_views[0].keys, cost, tuple(parts.values())))
    return rules


def compared_otherwise(
    con: duckdb.DuckDBPyConnection, table: str, plans: ViewPlans, touching: str | None = None
) -> pl.DataFrame:
    """The pairs that blocking.block makes of `plans.scored` and that a view compares by other rules, though it reads
    both records: (view, left_id, right_id, rules), rules 0 where it does not compare them."""
    columns = {"view": pl.String, "left_id": pl.Int64, "right_id": pl.Int64, "rules": pl.Int64}
    if not plans.views:
        return pl.DataFrame(schema=columns)
    last = len(next(iter(plans.views.values()))[0]) - 1
    width = int(last).bit_length()
    touched = records_of(con, table, touching, last) if touching else None
    pair, rules = found_pairs(plans.scored, last, touched)
    left, right = pair >> width, pair & ((1 << width) - 1)
    rows = []
    for view, (records, planned) in plans.views.items():
        own, by = found_pairs(planned, last, touched)
        here = np.zeros_like(rules)
        here[np.searchsorted(pair, own)] = by
        other = records[left] & records[right] & (here != rules)
        told = (view, left[other], right[other], here[other])
        rows.append(pl.DataFrame(dict(zip(columns, told, strict=True)), schema=columns))
    return pl.concat(rows)
