"""Addresses to UPRNs: how many a second of CPU, how many rightly, with and without what the systems know of a UPRN.

`python -m benchmarks.addresses [--people N] [--seed S] [--profile P]`: makes a borough, takes it in, matches every
address of it, beside a join of the plain texts; and how well the words alone tell that two addresses are one home.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.whole_runs import ran
from linkage_models.address import evaluate_addresses, match_addresses
from pipelines.places.gazetteer import ADDRESS_VARIANT, ADDRESS_WORDING, CROSS_REFERENCE, PROPERTY
from pipelines.runs import Run
from pipelines.warehouse import Warehouse
from synthetic_data.borough import AS_OF, make_borough

GOAL_A_SECOND, GOAL_PRECISION, GOAL_MATCHED = 20_000, 0.999, 0.95
COLUMNS = "address_id, address_text, postcode, uprn_given, xref_source, xref_key, no_home"
WITHHELD = """address_id, address_text, postcode, NULL::BIGINT AS uprn_given, NULL::VARCHAR AS xref_source,
    NULL::VARCHAR AS xref_key, no_home"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=2026)
    asked.add_argument("--profile", default="central")
    given = asked.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        taken_in(Path(scratch), given.people, given.seed, given.profile) as (wh, truth),
    ):
        compare(wh, truth)


@contextmanager
def taken_in(scratch: Path, people: int, seed: int, profile: str) -> Iterator[tuple[Warehouse, str]]:
    """A borough's addresses and gazetteer in a warehouse, and the file that tells the true UPRN of each address."""
    borough = scratch / "borough"
    make_borough(borough, people, seed, profile=profile)
    folder = ran(scratch / "data", borough / "landing", AS_OF, "+key:places/gazetteer or +key:facts/address")
    run = Run.begin(folder, "benchmark")
    try:
        with run.warehouse(("identity",), (borough / "truth",)) as wh:
            yield wh, str(borough / "truth" / "addresses.parquet")
    finally:
        run.abandon("only read")


def matched(wh: Warehouse, columns: str) -> None:
    """Match every current address into temp table `matched`; its working tables stay until the connection closes."""
    wh.execute(
        f"CREATE OR REPLACE TEMP TABLE asked AS SELECT {columns} FROM identity.facts.address WHERE valid_to IS NULL"
    )
    match_addresses(wh.con, "asked", PROPERTY, ADDRESS_VARIANT, ADDRESS_WORDING, CROSS_REFERENCE, "matched")


def compare(wh: Warehouse, truth: str) -> None:
    """Print one line a way of matching; the goals stand beside."""
    print(f"goals: {GOAL_A_SECOND:,} addresses a CPU second, precision {GOAL_PRECISION}, matched {GOAL_MATCHED:.0%}")
    for name, columns in (("with identifiers", COLUMNS), ("by its words alone", WITHHELD)):
        began = time.process_time()
        matched(wh, columns)
        spent = time.process_time() - began
        print(
            f"{name:>22}: {told(wh, truth, 'matched')}, {wh.scalar('SELECT count(*) FROM asked') / spent:,.0f} a second"
        )
    words = "trim(regexp_replace(upper({0}.address_text || ' ' || coalesce({0}.postcode, '')), '[^A-Z0-9]+', ' ', 'g'))"
    wh.execute(f"""CREATE OR REPLACE TEMP TABLE joined AS
        SELECT a.address_id, min(v.uprn) AS uprn, 'plain text' AS method FROM asked a
        LEFT JOIN {ADDRESS_VARIANT} v ON {words.format("v")} = {words.format("a")} GROUP BY a.address_id""")
    print(f"{'a join of plain texts':>22}: {told(wh, truth, 'joined')}")
    for name, key in (("the door key", "door_key"), ("the words as written", "words")):
        ((right, found, wanted),) = wh.rows(
            f"""WITH keyed AS (
                SELECT a.address_id, {key} AS key, t.uprn FROM (SELECT *, {words.format("f")} AS words FROM
                    identity.facts.address f WHERE valid_to IS NULL) a JOIN matched USING (address_id)
                JOIN read_parquet(?) t ON t.source = a.source AND t.address_key = a.address_key
                WHERE t.uprn IS NOT NULL AND a.address_text IS NOT NULL),
            pairs AS (SELECT count(*) AS n, uprn, key FROM keyed GROUP BY GROUPING SETS ((uprn), (key), (uprn, key)))
            SELECT sum(n * (n - 1) / 2) FILTER (uprn IS NOT NULL AND key IS NOT NULL),
                sum(n * (n - 1) / 2) FILTER (uprn IS NULL AND key IS NOT NULL),
                sum(n * (n - 1) / 2) FILTER (uprn IS NOT NULL AND key IS NULL) FROM pairs""",
            [truth],
        )
        print(f"pairs of one home by {name}: precision {right / found:.4f}, recall {right / wanted:.4f}")


def told(wh: Warehouse, truth: str, matched: str) -> str:
    """Match rate, precision and recall of all sources together."""
    rows = evaluate_addresses(wh.con, truth, "identity.facts.address", matched)
    total = next(row for row in rows if row["source"] is None and row["method"] is None)
    return ", ".join(f"{rate.replace('_', ' ')} {total[rate]:.4f}" for rate in ("match_rate", "precision", "recall"))


if __name__ == "__main__":
    main()
