"""Files in the layouts that newcomers bring, with no contract written by hand: drafted, delivered, linked, judged.

`python -m benchmarks.newcomers [SHAPE ...] [--seed N] [--people N]` prints pair precision, recall and F1 beside plainer
rules on the same records.
"""

import argparse
import tempfile
from pathlib import Path

import polars as pl

from benchmarks import name_lists, newcomer_files
from benchmarks.newcomer_files import Files
from benchmarks.strangers import show
from examples.febrl.run import command
from pipelines.reading.judging import judge_known
from pipelines.settings import DataFolder

SHAPES = newcomer_files.SHAPES | name_lists.SHAPES


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("shapes", nargs="*", default=[], choices=[*SHAPES, []])
    asked.add_argument("--seed", type=int, default=31)
    asked.add_argument("--people", type=int, default=2000)
    given = asked.parse_args()
    for name in given.shapes or SHAPES:
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch)
            bring(SHAPES[name](given.people, given.seed), place)
            told = ("--sources", place / "mine", "--landing", place / "landing", "--data", place / "data")
            command("run", *told, "--holds", "synthetic")
            print(f"\n{name}: {given.people:,} people, seed {given.seed}")
            show(judge_known(DataFolder.at(place / "data"), place / "truth.csv")["links"])


def bring(files: Files, place: Path) -> None:
    """Each file as it would be brought, with the contract that `sources new` drafts of it; truth.csv for the judge."""
    known = []
    for source, (rows, day) in files.items():
        rows.drop("person").write_csv(place / f"{source}.csv")
        told = ("--out", place / "mine", "--landing", place / "landing", "--day", day, "--holds", "synthetic")
        command("sources", "new", source, place / f"{source}.csv", *told)
        key = next((name for name in rows.columns if name.lower() in KEYS), None)
        number = pl.col(key) if key else pl.int_range(1, rows.height + 1)
        known.append(
            rows.select(
                pl.lit(source).alias("source"),
                number.cast(pl.String).alias("source_key"),
                pl.col("person").cast(pl.String),
            )
        )
    pl.concat(known).write_csv(place / "truth.csv")


KEYS = ("voter_reg_num", "unique_id", "enterpriseid", "resident_id", "id")

if __name__ == "__main__":
    main()
