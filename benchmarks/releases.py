"""Pseudonyms and the k and l check for 500,000 people, beside their goals: python -m benchmarks.releases"""

import time

import polars as pl

from pipelines.keys.pseudonyms import pseudonym
from pipelines.releases.attacks import attack
from pipelines.releases.disclosure import grouped, stays
from pipelines.releases.sets import load_set, population, profiles
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.releases.borough import lay

PEOPLE = 500_000


def timed(what: str, goal: float, begun: tuple[float, float]) -> None:
    wall, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    print(f"{what:<58} {wall:6.2f} s  {cpu:6.2f} CPU s   goal {goal:.1f} s")


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def check(wh: Warehouse) -> int:
    """Rows that fail k and l at the finest step: one pass over the release and the population."""
    asked = load_set("partner_needs")
    depth = dict.fromkeys(asked.quasi, 0)
    safe = stays(asked, profiles()["partner"])
    return int(wh.scalar(f"SELECT count(*) FROM ({grouped(asked, depth)}) WHERE NOT ({safe})"))


def main() -> None:
    ids = [f"{number:032x}" for number in range(PEOPLE)]
    begun = now()
    names = pseudonym(b"k" * 32, "person", ids)
    timed(f"{PEOPLE:,} pseudonyms", 5, begun)
    assert len(set(names)) == PEOPLE
    with scratch_warehouse() as wh:
        lay(wh, PEOPLE)
        asked = load_set("partner_needs")
        wh.execute(f"CREATE TEMP TABLE population AS {population(asked)}")
        wh.execute(f"CREATE TEMP TABLE subject AS {asked.query()}")
        begun = now()
        check(wh)
        timed("k (in release and population) and l of them", 0.5, begun)
        levels = {column: asked.levels(column)[0][0] for column in asked.quasi}
        shown = ", ".join(f"{asked.levels(c)[0][1]} AS {c}" for c in asked.quasi)
        rows = wh.frame(f"SELECT person_id AS person, {shown}, support, social_tenancy, link_quality FROM subject")
        rows = rows.with_columns(pl.Series("person", names[: rows.height]))
        begun = now()
        attack(wh, asked, rows, levels)
        timed("every attack of the check (no goal of its own)", 10, begun)


if __name__ == "__main__":
    main()
