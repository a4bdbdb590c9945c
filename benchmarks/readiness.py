"""Does mending what readiness names win the links that it foretold? An invented borough, its extracts and the truth.

A borough is made, landed and linked; readiness says which field of which rows to fill in first. For each of the first
few that the truth can fill in, these very rows are mended in the extract (their file, their column, the true value),
everything is taken in and linked anew in a fresh data folder, and the true pairs of records that are linked are counted
before and after. Goal: the gain is within 20 % of what was foretold; of fewer than 50 links foretold, within the range
that readers get. Beside the first, as the yardstick: what mending
as many rows chosen by chance among those that lack the field wins; and expected recall beside the true one, by pair of
sources.
"""

import argparse
import csv
import hashlib
import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.whole_runs import ran
from pipelines import warehouse
from pipelines.keys.keyring import open_keyring
from pipelines.readiness.thresholds import FEW_LINKS
from pipelines.running.demonstration import AS_OF
from pipelines.settings import SHIPPED_SOURCES, DataFolder, load_settings
from pipelines.sources.contract_files import load_contracts
from pipelines.warehouse import Warehouse
from synthetic_data.borough import make_borough

GOAL, RECALL_GOAL = 0.20, 0.05
SELECT = "+key:quality/readiness"


@dataclass(frozen=True)
class FieldInFile:
    """Where a field stands in an extract: its file, the columns that make the source's key (after `prefix`), and its
    columns."""

    file: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    prefix: str = ""


PLACES: dict[tuple[str, str], tuple[FieldInFile, ...]] = {
    ("council_tax", "birth_date"): (
        FieldInFile("ctliable.csv", ("account_ref", "liab_pers_occ", "party_ref"), ("liab_dob",)),
    ),
    ("permits", "birth_date"): (
        FieldInFile("blue_badges.csv", ("badge_number",), ("dob",)),
        FieldInFile("bus_passes.csv", ("pass_no",), ("date_of_birth",)),
    ),
    ("citizen_account", "birth_date"): (FieldInFile("accounts.csv", ("account_id",), ("date_of_birth",)),),
    ("marriages", "home"): (
        FieldInFile("marriage_parties.csv", ("marriage_id", "party_no"), ("usual_address", "postcode")),
    ),
    ("electoral_register", "sex"): (FieldInFile("register.csv", ("elector_id",), ("elector_title",)),),
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", required=True, help="a folder for the borough and its runs")
    asked.add_argument("--people", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=4101)
    asked.add_argument("--first", type=int, default=3, help="how many of the fields named first are mended")
    asked.add_argument("--least", type=float, default=20.0, help="links foretold, below which a gain is chance")
    given = asked.parse_args()
    out = Path(given.out).resolve()
    if not (out / "truth").exists():
        make_borough(out, given.people, given.seed, "central", AS_OF, progress=lambda text: None)
    base = linked(out, out / "landing", "base")
    with opened(base, out) as wh:
        before = true_links(wh)
        recall_beside_truth(wh)
        named = wh.rows(
            "SELECT source, field, rows, lacking, links, low, high FROM identity.quality.readiness_mend"
            " WHERE links >= ? ORDER BY rank",
            [given.least],
        )
    print(f"\n{given.people:,} people, seed {given.seed}: {before:,} true pairs are linked")
    print(f"{'source':20}{'field':12}{'rows':>6}{'of':>7}{'foretold':>10}{'won':>7}{'error':>8}   by chance")
    done = 0
    for source, field, rows, lacking, foretold, low, high in named:
        if (source, field) not in PLACES:
            print(f"{source:20}{field:12}{rows:6,}{lacking:7,}{foretold:10.0f}   the truth holds no such value")
            continue
        if done >= given.first:
            break
        done += 1
        won = gain(out, base, source, field, before, by_chance=False)
        chance = f"{gain(out, base, source, field, before, by_chance=True):,}" if done == 1 else ""
        error = (won - foretold) / foretold
        met = low <= won <= high if foretold < FEW_LINKS else abs(error) <= GOAL
        verdict = f"   {low:.0f} to {high:.0f}" + ("" if met else "   MISSED")
        print(
            f"{source:20}{field:12}{rows:6,}{lacking:7,}{foretold:10.0f}{won:7,}{error:+8.0%}   {chance}{verdict}",
            flush=True,
        )


def linked(out: Path, landing: Path, name: str) -> DataFolder:
    """A fresh data folder in which a landing was taken in and linked."""
    shutil.rmtree(out / name, ignore_errors=True)
    return ran(out / name, landing, AS_OF + timedelta(days=1), SELECT)


def gain(out: Path, base: DataFolder, source: str, field: str, before: int, by_chance: bool) -> int:
    """True pairs won by filling in the field in the rows named, or in as many others that lack it."""
    with opened(base, out) as wh:
        mended = rows_to_mend(wh, source, field, by_chance)
    landing = out / "mended"
    shutil.rmtree(landing, ignore_errors=True)
    shutil.copytree(out / "landing", landing)
    missed = mend(landing / source, source, field, mended)
    if missed and not by_chance:
        print(f"  {missed} of the rows named can't be mended: their file has no such column, or no truth is known")
    folder = linked(out, landing, "mended-run")
    with opened(folder, out) as wh:
        return true_links(wh) - before


def rows_to_mend(wh: Warehouse, source: str, field: str, by_chance: bool) -> dict[str, tuple[Any, ...]]:
    """Key of each row -> the true values to fill in."""
    truth = """SELECT r.record_id, r.source_key, p.birth_date, p.sex, h.address, h.postcode
        FROM identity.people.record r JOIN truth_record t USING (record_id) JOIN truth_person p USING (person_id)
        LEFT JOIN truth_home h USING (record_id) WHERE r.source = ?"""
    names = "SELECT record_id FROM identity.quality.readiness_row WHERE source = ? AND field = ?"
    known = {row[0]: row[1:] for row in wh.rows(truth, [source])}
    named = [row[0] for row in wh.rows(names, [source, field])]
    if by_chance:
        lacking = {
            "birth_date": "birth_date IS NULL OR weak_birth_date",
            "home": "home_key IS NULL OR starts_with(home_key, '~')",
            "sex": "sex IS NULL",
        }[field]
        every = wh.rows(
            f"SELECT record_id FROM identity.people.record WHERE source = ? AND ({lacking}) ORDER BY record_id",
            [source],
        )
        named = random.Random(1).sample([row[0] for row in every], min(len(named), len(every)))
    return {known[record][0]: known[record][1:] for record in named if record in known}


def mend(folder: Path, source: str, field: str, mended: dict[str, tuple[Any, ...]]) -> int:
    """Fill in the field in the delivered files and put their manifest right; rows that could not be mended."""
    contract = load_contracts(SHIPPED_SOURCES)[source]
    left = set(mended)
    for manifest in folder.rglob("manifest.json"):
        told = json.loads(manifest.read_text())
        for place in PLACES[source, field]:
            path = manifest.parent / place.file
            table = next(table for table in contract.tables if table.file == place.file)
            column = next((each for each in table.columns if each.name == place.columns[0]), None)
            encoding = "utf-8-sig" if contract.encoding == "utf-8" else contract.encoding  # some begin with a mark
            with path.open(encoding=encoding, newline="") as handle:
                reader = csv.DictReader(handle, delimiter=contract.delimiter)
                rows, head = list(reader), list(reader.fieldnames or ())
            for row in rows:
                key = place.prefix + "/".join(row[name] for name in place.key)
                if key in mended:
                    born, sex, address, postcode = mended[key]
                    values: tuple[Any, ...] = (address, postcode)
                    if field == "sex":
                        values = ("Mr" if sex == "M" else "Ms",)
                    elif field == "birth_date" and column:
                        values = (born and born.strftime(column.date_formats[0]),)
                    if all(values):
                        row |= dict(zip(place.columns, values, strict=True))
                        left.discard(key)
            with path.open("w", encoding=contract.encoding, newline="") as handle:
                writer = csv.DictWriter(handle, head, delimiter=contract.delimiter)
                writer.writeheader()
                writer.writerows(rows)
            for entry in told["files"]:
                if entry["name"] == place.file:
                    entry |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
        manifest.write_text(json.dumps(told))
    return len(left)


@contextmanager
def opened(folder: DataFolder, out: Path) -> Iterator[Warehouse]:
    """The identity zone of a data folder with the truth beside it."""
    settings, truth = load_settings(folder), out / "truth"
    zones = {"identity": (folder.identity, open_keyring(folder, settings, ("identity",)).key("identity"))}
    limits = (settings.memory_limit, settings.threads)
    with warehouse.opened(zones, folder.temp, (folder.root, truth), *limits, read_only=True) as con:
        wh = Warehouse(con, "benchmark", settings.today())
        wh.execute(
            f"""CREATE TEMP TABLE truth_record AS SELECT r.record_id, r.source, t.person_id
            FROM identity.people.record r JOIN read_parquet('{truth}/records.parquet') t USING (source, source_key)"""
        )
        wh.execute(f"CREATE TEMP TABLE truth_person AS FROM read_parquet('{truth}/persons.parquet')")
        day = f"DATE '{date(2026, 10, 31)}'"
        wh.execute(
            f"""-- where the truth says that a record's person lived when it was made
            CREATE TEMP TABLE truth_home AS
            SELECT t.record_id, arg_max(g.address, s.from_date) AS address, arg_max(g.postcode, s.from_date) AS postcode
            FROM truth_record t JOIN identity.people.record r USING (record_id)
            JOIN read_parquet('{truth}/residence.parquet') s ON s.person_id = t.person_id
                AND s.from_date <= coalesce(r.last_begun, {day})
                AND coalesce(s.to_date, {day}) >= coalesce(r.last_begun, {day})
            JOIN identity.places.property g ON g.uprn = s.uprn
            GROUP BY t.record_id"""
        )
        yield wh


LINKED = """SELECT t.record_id, t.source, t.person_id, m.person_id AS cluster FROM truth_record t
    JOIN identity.linkage.membership m ON m.record_id = t.record_id AND m.view = 'data_quality'"""


def true_links(wh: Warehouse) -> int:
    """Pairs of records of one person that are linked."""
    cells = f"SELECT count(*) AS n FROM ({LINKED}) GROUP BY person_id, cluster"
    return int(wh.scalar(f"SELECT sum(n * (n - 1) // 2) FROM ({cells})"))


def recall_beside_truth(wh: Warehouse) -> None:
    """Expected beside true recall, over all and by pair of sources with enough true pairs to tell."""
    rows = wh.rows(
        f"""WITH linked AS ({LINKED}), pair AS (
            SELECT a.source AS source_l, b.source AS source_r, count(*) AS true_pairs,
                count(*) FILTER (a.cluster = b.cluster) AS found
            FROM linked a JOIN linked b ON b.person_id = a.person_id
                AND (a.source < b.source OR (a.source = b.source AND a.record_id < b.record_id)) GROUP BY ALL)
        SELECT source_l, source_r, true_pairs, found / true_pairs, recall, low, high
        FROM pair JOIN identity.quality.readiness_pair USING (source_l, source_r) ORDER BY true_pairs DESC"""
    )
    every = pl.DataFrame(rows, schema=["one", "other", "pairs", "true", "expected", "low", "high"], orient="row")
    whole = (every["pairs"] * every["true"]).sum() / every["pairs"].sum()
    told = (every["pairs"] * every["expected"]).sum() / every["pairs"].sum()
    print(f"expected recall {told:.4f}, true {whole:.4f}")
    large = every.filter(pl.col("pairs") >= 100).with_columns(error=(pl.col("expected") - pl.col("true")))
    off = (large["error"].abs() * large["pairs"]).sum() / large["pairs"].sum()
    within = large.filter(pl.col("true").is_between("low", "high"))
    near = large.filter(pl.col("error").abs() <= RECALL_GOAL)
    print(f"by pair of sources ({len(large)} with 100 true pairs or more): mean error {off:.4f}; within {RECALL_GOAL}:")
    print(f"  {len(near)}; within the range that readers get (nine in ten): {len(within)}; worst:")
    for one, other, pairs, true, expected, *_ in large.sort(pl.col("error").abs(), descending=True).head(5).rows():
        print(f"  {one:20}{other:20}{pairs:7,} true pairs   true {true:.3f}   expected {expected:.3f}")


if __name__ == "__main__":
    main()
