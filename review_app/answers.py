"""What a reviewer may answer, and which pair decisions an answer stands for."""

from collections.abc import Sequence
from dataclasses import dataclass

from review_app.clusters import Cluster

FIRM = ("same", "different", "split")
VERDICTS = (*FIRM, "unsure", "evidence")
WORDS = {
    "same": "Same person",
    "different": "Not the same",
    "split": "Split off some",
    "unsure": "Not sure",
    "evidence": "Asked for evidence",
    "undo": "Taken back",
}
#: More pairs than these are not written one by one: the weightiest hold.
MOST_PAIRS = 400


@dataclass(frozen=True)
class Given:
    """A verdict as a reviewer gave it."""

    verdict: str
    by: str
    version: str
    chosen: Sequence[str] = ()
    reason: str = ""
    note: str = ""
    seconds: float | None = None
    blind: bool = False


def edges_of(cluster: Cluster, verdict: str, chosen: Sequence[str] = ()) -> list[tuple[str, str, str]]:
    """The pair decisions (kind, record, record) that a verdict stands for.

    Same: a chain along the strongest pairs through all records. Apart: every scored pair across, since any of them
    could draw the two together again. Unsure: the pair that the question was about.
    """
    ids = [record.record_id for record in cluster.records]
    asked = (cluster.left or ids[0], cluster.right or ids[-1])
    match verdict:
        case "same":
            return [("must_link", left, right) for left, right in _chain(cluster, asked)]
        case "different" | "split":
            off = set(chosen) if verdict == "split" else {r.record_id for r in cluster.side("b")}
            across = [
                (pair.left, pair.right)
                for pair in sorted(cluster.pairs, key=lambda pair: -pair.weight)
                if (pair.left in off) != (pair.right in off)
            ]
            if verdict == "different" and asked[0] != asked[1]:
                across.insert(0, asked)
            if not across:  # nothing was scored between them: the first of each side stand for the two
                rest = [one for one in ids if one not in off]
                across = [(rest[0], sorted(off)[0])] if rest and off else []
            distinct = list(dict.fromkeys(tuple(sorted(pair)) for pair in across))
            return [("cannot_link", left, right) for left, right in distinct[:MOST_PAIRS]]
        case "unsure" | "evidence":
            return [("unsure", *asked)]
        case _:
            return []


def _chain(cluster: Cluster, asked: tuple[str, str]) -> list[tuple[str, str]]:
    ids = [record.record_id for record in cluster.records]
    if len(ids) > MOST_PAIRS:
        return [asked]
    group = {one: one for one in ids}

    def root(one: str) -> str:
        while group[one] != one:
            one = group[one]
        return one

    chain = []
    scored = [(pair.left, pair.right) for pair in sorted(cluster.pairs, key=lambda pair: -pair.weight)]
    for left, right in [asked, *scored, *((ids[0], other) for other in ids[1:])]:
        one, other = root(left), root(right)
        if one != other:
            group[other] = one
            chain.append((left, right))
    return chain


def alike(one: str, other: str) -> bool:
    """Whether two firm verdicts say the same of the item: one person, or more than one."""
    return (one == "same") == (other == "same")
