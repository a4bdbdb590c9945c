"""Accuracy of the shipped model on boroughs it was not trained on: mild, central and harsh errors, beside the goals.

`python -m benchmarks.accuracy [--people N] [--seeds A B C]` makes a borough for each profile, runs the whole pipeline
and holds its persons against the truth and the yardsticks on the same records. Precision and recall are of pairs; what
"distinguished" means is printed. No seed that a model was trained or tuned on may be used here.
"""

import argparse
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.whole_runs import ran
from linkage_models.person.coverage import coverage
from linkage_models.person.designs import COUNCIL
from linkage_models.scoring import certain_rules
from pipelines.reading.judging import judge
from pipelines.snapshots import open_snapshot
from synthetic_data.borough import make_borough

PROFILES = ("mild", "central", "harsh")
SEEDS = (901, 902, 903)
EXTRACTED = date(2026, 10, 31)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=20_000)
    asked.add_argument("--seeds", type=int, nargs=3, default=SEEDS, help="one for each of mild, central, harsh")
    asked.add_argument("--yardsticks", action="store_true", help="also those that train a model of their own")
    given = asked.parse_args()
    for profile, seed in zip(PROFILES, given.seeds, strict=True):
        with tempfile.TemporaryDirectory() as scratch:
            show(profile, seed, given.people, judged(Path(scratch), seed, given.people, profile, given.yardsticks))


def judged(place: Path, seed: int, people: int, profile: str, with_stock: bool) -> dict[str, Any]:
    """Make, run and judge one borough."""
    make_borough(place / "borough", people, seed, profile=profile, as_of=EXTRACTED, progress=lambda _: None)
    folder = ran(place / "data", place / "borough" / "landing", EXTRACTED)
    found: dict[str, Any] = judge(folder, place / "borough" / "truth", with_stock)["links"]
    with open_snapshot(folder) as (wh, _):
        edges = "published.linkage.edge"
        return found | {"coverage": coverage(wh.con, edges, COUNCIL), "certain": certain_rules(wh.con, edges)}


def show(profile: str, seed: int, people: int, found: dict[str, Any]) -> None:
    """Print one borough's figures beside the goals."""
    pairs, apart = found["pairs"], found["distinguished"]
    others = {
        row["clustering"]: row["pair F1"] for row in found["yardstick"] if not row["clustering"].startswith("our")
    }
    best = max(others, key=lambda name: others[name])
    print(f"\n{profile}: seed {seed}, {people:,} people, {found['records']:,} records")
    for words, value, goal in (
        ("precision of pairs", pairs["precision"], "at least 0.99"),
        ("recall of pairs that recorded values distinguish", apart["recall"], "at least 0.95"),
        ("recall of all true pairs", pairs["recall"], ""),
        ("pairwise error, 1 - F1", 1 - pairs["f1"], f"at most {(1 - others[best]) / 2:.4f}: half of {best}"),
        ("most true persons in a cluster", found["most persons in a cluster"], "at most 3"),
        ("share of clusters with more than one person", found["share of clusters with more than one person"], "0.001"),
        ("share of true pairs compared, estimated", found["coverage"].recall, "an estimate without the truth"),
    ):
        print(f"  {words:<50} {value:>8.4f}   {goal}")
    for rule in found["certain"]:
        print(f"  certain by {rule.rule}: {rule.pairs:,} pairs, of which the model links {rule.model_agrees:,}")
    if profile == PROFILES[0]:
        print(f"  {apart['definition']}")


if __name__ == "__main__":
    main()
