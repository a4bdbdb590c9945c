"""The pairs of a view that a person should look at, each with its reason."""

import numpy as np
import polars as pl

from linkage_models import thresholds as policy
from linkage_models.calibration import Thresholds
from linkage_models.clustering import Bools, Clustering, Edges, Floats, Ints, components
from linkage_models.merging import DEAD, DECIDED, FITS_TWO, ONE_PER_SOURCE
from pipelines.linkage.constraints import SUSPENDED
from pipelines.linkage.graph import Graph
from pipelines.warehouse import Warehouse

REVIEW_EDGE = "identity.linkage.review_edge"
COLUMNS = "view VARCHAR, record_l VARCHAR, record_r VARCHAR, match_weight DOUBLE, reason VARCHAR"

KEPT_APART = {
    DECIDED: "merge forbidden by a constraint: decided apart",
    ONE_PER_SOURCE: "merge forbidden by a constraint: their source holds a person once",
    DEAD: "merge forbidden by a constraint: one begins something after the other's death",
    FITS_TWO: "fits two persons: another fits about as well, and the two are not one",
}
STRONG, BETWEEN = "strong pair kept apart", "between the thresholds"
BRIDGE = "held by a bridge: without this pair the person falls into two groups of records"
THIN = "joined on little evidence"
OVERSIZED = "oversized: more records than sources give one person"
CHANGED = "decision suspended: a record has changed since"
CONTRADICTED = "decisions contradict each other"
# So many doubts are written at a time.
SLICE = 1_000_000


def note_doubts(wh: Warehouse, view: str, graph: Graph, found: Clustering, at: Thresholds, oversized: int) -> None:
    """Add to REVIEW_EDGE the view's doubts about records that were clustered anew. From `oversized` records on a person
    is too large."""
    anew = graph.records["anew"].to_numpy()
    chosen, why, reasons = _scored(graph, found, at, oversized)
    edges = graph.edges
    told = anew[edges.left[chosen]] | anew[edges.right[chosen]]
    chosen, why = chosen[told], why[told]
    # each reason's in the order of its records, as edges are; a slice at a time, for there may be millions
    for reason, place in sorted((said, place) for place, said in enumerate(reasons)):
        of_reason = chosen[why == place]
        for first in range(0, len(of_reason), SLICE):
            part = of_reason[first : first + SLICE]
            rows = graph.pairs(edges.left[part], edges.right[part]).with_columns(
                match_weight=pl.Series(edges.weight[part], dtype=pl.Float64), reason=pl.lit(reason)
            )
            _insert(wh, view, rows)
    decided = _decided(wh, graph, found)
    if not anew.all():
        named = graph.records.filter("anew")["record_id"].implode()
        decided = decided.filter(pl.col("record_l").is_in(named) | pl.col("record_r").is_in(named))
    _insert(wh, view, decided.sort("reason", "record_l", "record_r"))


def _insert(wh: Warehouse, view: str, rows: pl.DataFrame) -> None:
    with wh.given(rows):
        wh.execute(
            f"INSERT INTO {REVIEW_EDGE} SELECT ?, record_l, record_r, match_weight, reason FROM given",
            [view],
        )


def counted(wh: Warehouse) -> dict[str, int]:
    """Pairs to review over all views: in all, and by reason."""
    by_reason = wh.rows(
        f"SELECT split_part(reason, ':', 1) AS why, count(*) FROM {REVIEW_EDGE} GROUP BY why ORDER BY why"
    )
    return {"pairs to review": sum(count for _, count in by_reason)} | {f"to review, {why}": n for why, n in by_reason}


def oversized_from(sizes: Ints) -> int:
    """The least number of records with which a person is too large to be believed unseen, from all persons' sizes.

    What the sources at hand give nearly everyone of whom they know twice or more, and as much again.
    """
    several = sizes[sizes > 1]
    usual = float(np.quantile(several, policy.USUAL_SHARE, method="higher")) if len(several) else 0.0
    return max(policy.OVERSIZED_LEAST, int(policy.OVERSIZED_TIMES * usual) + 1)


def _scored(graph: Graph, found: Clustering, at: Thresholds, oversized: int) -> tuple[Ints, Ints, list[str]]:
    """The edges with a reason, the place of each one's reason among all, the most telling where several hold, and what
    the reasons are."""
    edges, labels = graph.edges, found.labels
    together = labels[edges.left] == labels[edges.right]
    reasons: list[tuple[str, Ints]] = [(KEPT_APART[why], found.stopped[found.stopped_by == why]) for why in KEPT_APART]
    reasons += [
        (BRIDGE, found.bridges),
        (THIN, found.thin),
        (OVERSIZED, _weakest_of_oversized(edges.weight, labels, edges.left, together, oversized)),
    ]
    strong = edges.weight >= at.link
    # of a person's records, those that strong pairs hold together need no look at the weaker ones between them
    held = strong & together
    part = components(len(labels), edges.left[held], edges.right[held])
    apart = np.flatnonzero((edges.weight >= at.review) & (part[edges.left] != part[edges.right]))
    asked = _strongest_between(edges, part, apart)
    reasons += [(STRONG, asked[strong[asked]]), (BETWEEN, asked[~strong[asked]])]
    why = np.full(len(edges.left), len(reasons))
    for place in reversed(range(len(reasons))):
        why[reasons[place][1]] = place
    chosen = np.flatnonzero(why < len(reasons))
    return chosen, why[chosen], [reason for reason, _ in reasons]


def _strongest_between(edges: Edges, part: Ints, chosen: Ints) -> Ints:
    """Of the chosen pairs, the one of most weight between every two parts: their other pairs ask the same question."""
    one, other = part[edges.left[chosen]], part[edges.right[chosen]]
    between = np.minimum(one, other) * len(part) + np.maximum(one, other)
    order = np.lexsort((-edges.weight[chosen], between))  # of equals the first, as the chosen are in order
    between = between[order]
    first = np.concatenate([between[:1] == between[:1], between[1:] != between[:-1]])
    return np.sort(chosen[order[first]])


def _weakest_of_oversized(weight: Floats, labels: Ints, left: Ints, together: Bools, oversized: int) -> Ints:
    """The pair of least weight in each cluster that is too large."""
    sizes = np.bincount(labels)
    inside = np.flatnonzero(together & (sizes[labels[left]] >= oversized))
    order = inside[np.lexsort((inside, weight[inside], labels[left[inside]]))]
    of = labels[left[order]]
    return order[np.flatnonzero(np.concatenate([of[:1] == of[:1], of[1:] != of[:-1]]))]


def _decided(wh: Warehouse, graph: Graph, found: Clustering) -> pl.DataFrame:
    """Decisions that can't be honoured as they are."""
    must, cannot = graph.constraints.must, graph.constraints.cannot
    contradicted = must[found.suspended]
    links = _chains(contradicted.tolist(), cannot.tolist())
    rows = graph.pairs(contradicted[:, 0], contradicted[:, 1]).with_columns(
        match_weight=pl.lit(None, dtype=pl.Float64),
        reason=pl.Series([f"{CONTRADICTED}: {link}" for link in links], dtype=pl.String),
    )
    changed = wh.frame(
        f"SELECT least(record_l, record_r) AS record_l, greatest(record_l, record_r) AS record_r,"
        f" NULL::DOUBLE AS match_weight, '{CHANGED}' AS reason FROM {SUSPENDED}"
    )
    ends = pl.concat([changed["record_l"], changed["record_r"]]).implode()
    known = graph.records["record_id"].filter(graph.records["record_id"].is_in(ends)).implode()
    changed = changed.filter(pl.col("record_l").is_in(known) & pl.col("record_r").is_in(known))
    return pl.concat([rows, changed]).unique(["record_l", "record_r", "reason"], maintain_order=True)


def _chains(must: list[list[int]], cannot: list[list[int]]) -> list[str]:
    """For each suspended must-link, its part in the contradiction: a link of the shortest chain of must-links between
    two records that are decided apart, or merely joined to such a chain."""
    beside: dict[int, list[tuple[int, int]]] = {}
    for place, (a, b) in enumerate(must):
        beside.setdefault(a, []).append((b, place))
        beside.setdefault(b, []).append((a, place))
    said = dict.fromkeys(range(len(must)), "joined to a chain that contradicts a decision to keep apart")
    for start, end in cannot:
        chain = _chain(beside, start, end)
        for number, place in enumerate(chain, start=1):
            said[place] = f"link {number} of {len(chain)} in a chain between two records decided apart"
    return [said[place] for place in range(len(must))]


def _chain(beside: dict[int, list[tuple[int, int]]], start: int, end: int) -> list[int]:
    """Places of the must-links on the shortest way from `start` to `end`, by breadth-first search; empty if none."""
    came: dict[int, tuple[int, int]] = {start: (start, -1)}
    queue = [start]
    for record in queue:
        for other, place in sorted(beside.get(record, ())):
            if other not in came:
                came[other] = (record, place)
                queue.append(other)
    chain: list[int] = []
    while end in came and end != start:
        end, place = came[end]
        chain.insert(0, place)
    return chain
