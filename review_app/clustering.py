"""What re-clustering would make of a cluster and its neighbours, with the decisions that stand and one more."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np

from linkage_models import thresholds as policy
from linkage_models.clustering import Edges, cluster
from linkage_models.constraints import NEVER, Constraints
from linkage_models.marks import marks
from review_app.answers import edges_of
from review_app.clusters import Cluster
from review_app.evidence import Pair
from review_app.records import Record

Decision = tuple[str, str, str]  # kind, record, record
_EPOCH = date(1900, 1, 1)


def outcome(
    records: Sequence[Record], pairs: Iterable[Pair], decisions: Iterable[Decision], stop: float, lone: float = 0.0
) -> list[list[str]]:
    """Groups of record ids, as the next run's clustering would make them of these records alone; largest first."""
    place = {record.record_id: number for number, record in enumerate(sorted(records, key=lambda r: r.record_id))}
    ordered = sorted(records, key=lambda r: r.record_id)
    inside = [pair for pair in pairs if pair.left in place and pair.right in place]
    edges = Edges(
        np.array([place[pair.left] for pair in inside], dtype=np.int64),
        np.array([place[pair.right] for pair in inside], dtype=np.int64),
        np.array([pair.weight if pair.clustered is None else pair.clustered for pair in inside], dtype=np.float64),
    )
    said = [(kind, place[left], place[right]) for kind, left, right in decisions if left in place and right in place]
    limits, mark = _constraints([r.raw for r in ordered], said), marks(r.record_id for r in ordered)
    found = cluster(len(ordered), edges, limits, stop=stop, lone=lone, mark=mark)
    groups: dict[int, list[str]] = {}
    for record, label in zip(ordered, found.labels.tolist(), strict=True):
        groups.setdefault(label, []).append(record.record_id)
    return sorted(groups.values(), key=lambda group: (-len(group), group))


def outcome_of(
    cluster: Cluster, verdict: str, chosen: Sequence[str], standing: Sequence[Decision], stop: float, lone: float
) -> dict[str, Any]:
    """What re-clustering would make of an answer: the sizes of the item's parts, and how many take in a neighbour."""
    new = edges_of(cluster, verdict, chosen)
    touched = {frozenset((left, right)) for _, left, right in new}
    kept = [each for each in standing if frozenset(each[1:]) not in touched]
    records, pairs = [*cluster.records, *cluster.beside], [*cluster.pairs, *cluster.beside_pairs]
    groups = outcome(records, pairs, [*kept, *new], stop, lone)
    own = {record.record_id for record in cluster.records}
    parts = [[record for record in group if record in own] for group in groups]
    joined = sum(1 for group in groups if set(group) & own and set(group) - own)
    return {"verdict": verdict, "sizes": sorted((len(part) for part in parts if part), reverse=True), "joined": joined}


def _constraints(raw: Sequence[dict[str, Any]], said: Sequence[tuple[str, int, int]]) -> Constraints:
    codes: dict[str, int] = {}
    for each in raw:
        if key := each.get("one_person_key"):
            codes.setdefault(key, len(codes))

    def days(value: date | None, none: int) -> int:
        return (value - _EPOCH).days if value else none

    def decided(kind: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.array([(a, b) for told, a, b in said if told == kind], dtype=np.int64).reshape(-1, 2)

    died = [days(each.get("death_date"), NEVER - policy.DEATH_GRACE_DAYS) + policy.DEATH_GRACE_DAYS for each in raw]
    return Constraints(
        decided("must_link"),
        decided("cannot_link"),
        np.array([codes.get(each.get("one_person_key") or "", -1) for each in raw], dtype=np.int64),
        np.array(died, dtype=np.int64),
        np.array([days(each.get("last_begun"), -NEVER) for each in raw], dtype=np.int64),
    )
