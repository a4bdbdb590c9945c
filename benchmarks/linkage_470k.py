"""Linkage alone on a separate fixture of 470,000 records, ours beside a bare Splink script, once with rules of its own
and once with ours; CPU and wall seconds.

All start from a table of standardised records in a DuckDB in memory. Bare Splink makes one clustering without
constraints and keeps the pairs from weight 0 on; ours keeps all that it compares, for review and the next run, and
makes three views with lasting ids, or one.

The fixture is a borough of another seed, large enough for 470,000 person records, taken in and standardised once and
kept in the folder that `--fixture` names. Budgets: 20 CPU s with training, 8 CPU s scoring and clustering.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import polars as pl

from benchmarks.pairs import pair_rates

RECORDS, PEOPLE, SEED = 470_000, 245_000, 4
BUDGET, BUDGET_WITH_TRAINING = 8, 20


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--fixture", default="boroughlink-demo/fixture-470k")
    asked.add_argument("--child", choices=["score", "one", "train"])
    asked.add_argument("--records", type=int, default=RECORDS, help="fewer, for a quick look")
    given = asked.parse_args()
    place = Path(given.fixture).resolve()
    records = place / "records.parquet"
    if given.child:
        to = place / ("one.parquet" if given.child == "one" else "ours.parquet")
        print(json.dumps(link(records, to, given.child == "train", given.child == "one")))
        return
    if not records.exists():
        make(place, records, given.records)
    truth = pl.read_parquet(place / "borough" / "truth" / "records.parquet")
    again = ["benchmarks.linkage_470k", "--fixture", str(place), "--child"]
    columns = {
        "ours": run([*again, "score"]),
        "ours, one view": run([*again, "one"]),
        "ours with training": run([*again, "train"]),
        "bare, its own rules": run(["benchmarks.bare_splink", str(records), str(place / "bare.parquet")]),
        "bare, our rules": run(["benchmarks.bare_splink", str(records), str(place / "same.parquet"), "--same-rules"]),
    }
    print(f"{'CPU seconds':34}" + "".join(f"{title:>20}" for title in columns))
    for part in dict.fromkeys(name for found in columns.values() for name in found):
        cells = (found.get(part, "") for found in columns.values())
        print(f"{part:34}" + "".join(f"{cell:>20,}" if cell != "" else f"{'':>20}" for cell in cells))
    print(f"{'budget':34}{BUDGET:>20}{'':>20}{BUDGET_WITH_TRAINING:>20}")
    files = (("ours", "person_id"), ("bare", "cluster_id"), ("same", "cluster_id"))
    for title, group in files:
        found = pl.read_parquet(place / f"{title}.parquet")
        print(f"pairs against the truth, {title}:", pair_rates(found, group, records, truth))


def run(module: list[str]) -> dict[str, float]:
    """What one way of linking prints last, in a process of its own."""
    done = subprocess.run([sys.executable, "-m", *module], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def make(place: Path, records: Path, wanted: int) -> None:
    from benchmarks.whole_runs import copy_out, ran
    from synthetic_data.borough import make_borough

    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    make_borough(place / "borough", PEOPLE * wanted // RECORDS, SEED, progress=print)
    folder = ran(place / "data", place / "borough" / "landing", date(2026, 11, 1), "+key:people/record")
    whole = place / "all.parquet"
    copy_out(folder, {"people.record": whole})
    people = pl.read_parquet(whole).filter(pl.col("is_person")).sort("record_id")
    if people.height < wanted:
        raise SystemExit(f"the fixture has only {people.height} records: raise PEOPLE")
    people.sample(wanted, seed=1).sort("record_id").write_parquet(records)
    whole.unlink()
    shutil.rmtree(folder.root)


def link(records: Path, to: Path, training: bool, one_view: bool = False) -> dict[str, float]:
    """Edges, then the clusterings and ids of three views, or of one, as the pipeline makes them, in one process."""
    from linkage_models.person.records import link_table
    from linkage_models.training import train
    from pipelines.linkage.constraints import load_decisions
    from pipelines.linkage.edges import build_edge
    from pipelines.linkage.persons import build_persons
    from pipelines.warehouse import scratch_warehouse

    with scratch_warehouse(date(2026, 11, 1), threads=2) as wh:
        wh.execute(f"CREATE TABLE identity.people.record AS FROM read_parquet('{records}')")
        sources = [row[0] for row in wh.rows("SELECT DISTINCT source FROM identity.people.record ORDER BY 1")]
        views = {
            "data_quality": sources,
            "fraud": [s for s in sources if s != "adult_social_care"],
            "risk": [s for s in sources if s not in ("electoral_register", "deaths")],
        }
        if one_view:
            views = {"data_quality": sources}
        wall, cpu = time.perf_counter(), time.process_time()
        marks = {}
        if training:
            link_table(wh.con, "identity.people.record", "person_link", "is_person")
            train(wh.con, "person_link", wh.as_of, PEOPLE)
            wh.execute("DROP TABLE person_link")
            marks["training"] = round(time.process_time() - cpu, 2)
        linked = build_edge(wh)
        marks["scoring"] = round(time.process_time() - cpu - marks.get("training", 0.0), 2)
        load_decisions(wh, [])
        build_persons(wh, views, b"benchmark")
        marks |= {
            "clustering and ids": round(time.process_time() - cpu - sum(marks.values()), 2),
            "all": round(time.process_time() - cpu, 2),
            "wall seconds": round(time.perf_counter() - wall, 2),
            "records": int(wh.scalar("SELECT count(*) FROM identity.people.record")),
            "pairs compared": linked.scored.pairs,
            "pairs kept": linked.pairs,
            "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        wh.frame(
            "SELECT record_id, person_id FROM identity.linkage.membership WHERE view = 'data_quality'"
        ).write_parquet(to)
        return marks


if __name__ == "__main__":
    main()
