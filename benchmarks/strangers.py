"""Strangers' tables at the defaults, beside stock Splink and plainer rules on the same rows: two household censuses ten
years apart, 50,000 records with ten a person and damaged fields, 200,000 records under harsh noise.

`python -m benchmarks.strangers [SET ...] [--seed N] [--share S] [--ours]` writes the tables of strange_tables.py with
their contracts into a fresh folder, runs the commands that anyone would use and prints precision, recall and F1 of
pairs. `--share` makes them smaller by that factor; `--ours` leaves out the yardsticks that train a model.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from benchmarks.strange_tables import SETS
from examples.febrl.run import command
from pipelines.reading.judging import judge_known
from pipelines.settings import DataFolder

DAYS = {"census_1881": "1881-04-03", "census_1891": "1891-04-05"}
DAY = "2026-11-01"
PERSONAL = {"forename": "name", "middle": "name", "surname": "name", "birth_date": "birth_date", "age": "birth_date"}
PERSONAL |= {"address": "address", "postcode": "address"}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("sets", nargs="*", default=[], choices=[*SETS, []])
    asked.add_argument("--seed", type=int, default=31)
    asked.add_argument("--share", type=float, default=1.0)
    asked.add_argument("--ours", action="store_true")
    given = asked.parse_args()
    for name in given.sets or SETS:
        make, size = SETS[name]
        with tempfile.TemporaryDirectory() as scratch:
            began = time.process_time()
            land(tables := make(int(size * given.share), given.seed), Path(scratch))
            landed = time.process_time()
            data = Path(scratch) / "data"
            told = ("--sources", Path(scratch) / "mine", "--landing", Path(scratch) / "landing", "--data", data)
            command("run", *told, "--holds", "synthetic")
            ran = time.process_time()
            found = judge_known(DataFolder.at(data), Path(scratch) / "truth.csv", not given.ours)["links"]
            print(
                f"\n{name}: {sum(table.height for table in tables.values()):,} records, seed {given.seed}; made in"
                f" {landed - began:.0f} CPU s, run in {ran - landed:.0f}"
            )
            show(found)


def land(tables: dict[str, pl.DataFrame], place: Path) -> None:
    """Contracts under mine/, deliveries under landing/ and truth.csv, which no command but the judge reads."""
    known = []
    for source, table in tables.items():
        (place / "mine" / source).mkdir(parents=True)
        (place / "mine" / source / "contract.yaml").write_text(yaml.safe_dump(contract(source, table), sort_keys=False))
        folder = place / "landing" / source / DAYS.get(source, DAY)
        folder.mkdir(parents=True)
        table.drop("person").write_csv(folder / f"{source}.csv")
        known.append(table.select(pl.lit(source).alias("source"), pl.col("key").alias("source_key"), "person"))
    pl.concat(known).write_csv(place / "truth.csv")


def contract(source: str, table: pl.DataFrame) -> dict[str, Any]:
    """As docs/strangers.md has it: what each column is, and nothing tuned."""
    held = [column for column in table.columns if column not in ("key", "person")]
    columns: list[dict[str, Any]] = [{"name": "key", "personal": "identifier"}]
    for column in held:
        kind = {"birth_date": {"type": "date"}, "age": {"type": "integer"}}.get(column, {})
        columns.append({"name": column, "personal": PERSONAL.get(column, "none")} | kind)
    return {
        "name": source,
        "title": source,
        "system": "benchmarks",
        "description": "Invented people.",
        "level": "person",
        "owner": "nobody",
        "steward": "nobody@council.example",
        "retention_days": 99_999,
        "refresh_days": 99_999,
        "control": "none",
        "date_format": "%Y-%m-%d",
        "purposes": {"data_quality": {"basis": "invented people; no law applies", "expires": "2099-12-31"}},
        "tables": [
            {
                "name": "people",
                "file": f"{source}.csv",
                "grain": "one record",
                "why": "to link",
                "key": ["key"],
                "maps": {column: [column] if column == "address" else column for column in held},
                "columns": columns,
            }
        ],
    }


def show(found: dict[str, Any]) -> None:
    print(f"{'':<96}{'precision':>10}{'recall':>9}{'F1':>8}{'B-cubed':>9}{'largest':>9}{'persons':>9}")
    for row in found["yardstick"]:
        rates = [row["pair precision"], row["pair recall"], row["pair F1"], row["B-cubed F1"]]
        cells = "".join(f"{rate:>{width}.4f}" for rate, width in zip(rates, (10, 9, 8, 9), strict=True))
        print(f"{row['clustering']:<96}{cells}{row['largest cluster']:>9}{row['most persons']:>9}")
    for row in found["misses"]:
        print(f"  {row['pairs']:>9,} missed: {row['cause']}")


if __name__ == "__main__":
    main()
