"""What 500 decisions put right in the order of the queue, beside 500 in random order: simulated clerks on a borough.

    python -m benchmarks.clerks --demo boroughlink-demo [--decisions 500] [--errors 0.03]

A clerk sees an item and answers as the truth has it, but for a stated share of wrong answers. What the answers write is
what the app writes; then everyone is clustered again with these decisions. Errors are pairs of records: of two people
yet together, or of one person yet apart. Goal: the queue's order removes at least twice as many.
"""

import argparse
import random
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

from linkage_models import thresholds as policy
from linkage_models.clustering import Edges, cluster
from linkage_models.constraints import NEVER, Constraints
from linkage_models.marks import marks
from pipelines.settings import DataFolder
from pipelines.view_edges import open_view_edges
from pipelines.warehouse import Warehouse
from review_app.answers import edges_of
from review_app.clusters import load_cluster
from review_app.published import VIEW, Published, Snapshot


class Everyone:
    """All records of the view with their scored pairs, to be clustered under decisions."""

    def __init__(self, wh: Warehouse, truth: dict[str, str]) -> None:
        rows = wh.rows(
            "SELECT r.record_id, r.one_person_key, date_diff('day', DATE '1900-01-01', r.death_date), "
            "date_diff('day', DATE '1900-01-01', r.last_begun) FROM published.linkage.membership AS m "
            "JOIN published.people.record AS r USING (record_id) WHERE m.view = ? ORDER BY r.record_id",
            [VIEW],
        )
        self.place = {record: place for place, (record, *_) in enumerate(rows)}
        self.mark = marks(self.place)
        self.truth = [truth.get(record) for record, *_ in rows]
        codes = {key: code for code, key in enumerate(sorted({key for _, key, *_ in rows if key}))}
        self.exclusive = np.array([codes.get(key, -1) for _, key, *_ in rows])
        self.dead = np.array([NEVER if died is None else died + policy.DEATH_GRACE_DAYS for *_, died, _ in rows])
        self.begins = np.array([-NEVER if begun is None else begun for *_, begun in rows])
        open_view_edges(wh, VIEW, "published")
        edges = wh.rows("SELECT record_l, record_r, match_weight FROM view_edge ORDER BY record_l, record_r")
        kept = [(self.place[a], self.place[b], w) for a, b, w in edges if a in self.place and b in self.place]
        self.edges = Edges(*(np.array(column) for column in zip(*kept, strict=True)))

    def errors(self, decisions: list[tuple[str, str, str]], stop: float) -> tuple[int, int]:
        """Pairs of two people together, and pairs of one person apart."""

        def pairs(kind: str) -> np.ndarray:
            found = [(self.place[a], self.place[b]) for said, a, b in decisions if said == kind]
            return np.array(found, dtype=np.int64).reshape(-1, 2)

        constraints = Constraints(pairs("must_link"), pairs("cannot_link"), self.exclusive, self.dead, self.begins)
        labels = cluster(len(self.place), self.edges, constraints, stop=stop, mark=self.mark).labels.tolist()

        def together(groups: Counter) -> int:
            return sum(count * (count - 1) // 2 for count in groups.values())

        known = [(label, person) for label, person in zip(labels, self.truth, strict=True) if person]
        both = together(Counter(known))
        return together(Counter(label for label, _ in known)) - both, together(Counter(p for _, p in known)) - both


def answer(snapshot: Snapshot, item_id: str, truth: dict[str, str], clerk: random.Random, wrong: float) -> list:
    """What a clerk's answer to an item writes."""
    item = load_cluster(snapshot, item_id)
    sides = [Counter(truth.get(record.record_id) for record in item.side(side)) for side in "ab"]
    if not sides[1]:
        return []
    same = sides[0].most_common(1)[0][0] == sides[1].most_common(1)[0][0]
    if clerk.random() < wrong:
        same = not same
    return edges_of(item, "same" if same else "different")


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--demo", type=Path, required=True)
    asked.add_argument("--decisions", type=int, default=500)
    asked.add_argument("--errors", type=float, default=0.03)
    asked.add_argument("--rounds", type=int, default=5)
    given = asked.parse_args()
    records = pl.read_parquet(given.demo / "truth" / "records.parquet")
    people = {(source, key): str(person) for source, key, person in records.iter_rows()}
    published = Published(DataFolder.at(given.demo / "data"))
    with published.read() as snapshot:
        named = snapshot.wh.rows("SELECT record_id, source, source_key FROM published.people.record")
        truth = {record: people[source, key] for record, source, key in named if (source, key) in people}
        everyone = Everyone(snapshot.wh, truth)
        items = [item.item_id for item in snapshot.queue if not item.is_restricted]
        before = sum(everyone.errors([], policy.CLUSTER_STOP))
        print(
            f"{len(everyone.place):,} records, {len(items):,} items, {before:,} wrong pairs before; clerks err in "
            f"{given.errors:.0%} of answers; {given.decisions} decisions, {given.rounds} rounds"
        )
        removed: dict[str, list[int]] = {"in the order of the queue": [], "in random order": []}
        for seed in range(given.rounds):
            for name, found in removed.items():
                clerk = random.Random(seed)
                order = items if name.endswith("queue") else clerk.sample(items, len(items))
                said = [
                    edge
                    for one in order[: given.decisions]
                    for edge in answer(snapshot, one, truth, clerk, given.errors)
                ]
                found.append(before - sum(everyone.errors(said, policy.CLUSTER_STOP)))
        for name, found in removed.items():
            print(
                f"  {name:<28} removes {np.mean(found):7.0f} wrong pairs (of {before:,}; {min(found)} to {max(found)})"
            )
        queue, chance = (np.mean(found) for found in removed.values())
        print(f"  ratio {queue / max(chance, 1):.2f} (goal 2.00)")
    published.close()


if __name__ == "__main__":
    main()
