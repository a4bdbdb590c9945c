"""The whole borough by the real command: time and memory by step, beside a bare Splink script on the same records.

`python -m benchmarks.borough [--out DIR] [--people N]`: makes the demonstration in a fresh folder, then hands the very
person records that it linked to `benchmarks.bare_splink`, and holds both against the truth.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from benchmarks.pairs import pair_rates
from benchmarks.whole_runs import copy_out
from pipelines.settings import DataFolder

BUDGET_SECONDS = 150


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out")
    asked.add_argument("--people", default="180688")
    asked.add_argument("--seed", default="2026")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(given.out or Path(scratch) / "demo").resolve()
        fresh, began = not (out / "data").exists(), time.perf_counter()
        command = [str(Path(sys.executable).parent / "boroughlink"), "demo", "--out", str(out)]
        subprocess.run([*command, "--people", given.people, "--seed", given.seed], check=True)
        took = f"{time.perf_counter() - began:.1f} s"
        if fresh:
            print(f"\nmake demo, once installed: {took} (budget {BUDGET_SECONDS} s, 4 GB)\n")
        else:
            print(f"\n{out} was there already: running again took {took}. For the budget, name a new folder.\n")
        records, bare = Path(scratch) / "records.parquet", Path(scratch) / "bare.parquet"
        persons = Path(scratch) / "membership.parquet"
        copy_out(DataFolder.at(out / "data"), {"people.record": records, "linkage.membership": persons})
        ours = pl.read_parquet(persons).filter(pl.col("view") == "data_quality")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.bare_splink", str(records), str(bare)],
            check=True,
            capture_output=True,
            text=True,
        )
        truth = pl.read_parquet(out / "truth" / "records.parquet")
        print("A bare Splink script on the same records:", json.loads(done.stdout.splitlines()[-1]))
        print("  its pairs against the truth:", pair_rates(pl.read_parquet(bare), "cluster_id", records, truth))
        print("  our pairs against the truth:", pair_rates(ours, "person_id", records, truth))


if __name__ == "__main__":
    main()
