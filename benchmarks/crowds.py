"""Time and memory of linking a million records that are hard to tell apart, from facts to persons, as a stranger's
table goes: all alike, or of different people who share one value or lack one column (`--case`). As in a run, DuckDB has
the `memory_limit` of the settings (`--memory` for another), and what it keeps goes to encrypted files.

Nothing says whether records alike are one person, so nothing may join them, and no rule may make their pairs. The sets
of `benchmarks.strangers` are its counterpart: crowds under noise, held against their truth.
"""

import argparse
import tempfile
import time
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.edges import build_edge
from pipelines.linkage.persons import MEMBERSHIP, build_persons
from pipelines.people.records import build_record, build_record_address
from pipelines.places.address_uprn import build_address_uprn
from pipelines.places.gazetteer import build_gazetteer
from pipelines.settings import Settings
from pipelines.sources.facts import FACTS
from pipelines.timings import MemoryWatch
from pipelines.warehouse import Warehouse, opened

DAY = date(2026, 10, 31)
VIEWS = {"everyone": ["crowd"]}
SAID = {"source": "'crowd'", "source_key": "place"}
SAID |= {"record_id": "'crowd:' || place || '#1'", "address_id": "'crowd:' || place || '#1'", "address_key": "place"}
SAID |= {"occupant": "1", "role": "'person'", "basis": "'contact'", "loaded_run": "'r'"}
SAID |= {"extract_date": f"DATE '{DAY}'", "valid_from": f"DATE '{DAY}'"}
ALIKE = {"forename": "'ANN'", "surname": "'LEE'", "birth_date": "DATE '1980-05-05'"}
ALIKE |= {"address_text": "'1 High Street'", "postcode": "'1000'"}
# a million different people of 1,000 forenames and 100,000 surnames, three to a home
DIFFERENT = {
    "forename": "translate((hash(place, 1) % 1000)::VARCHAR, '0123456789', 'AEIOUBDLMN')",
    "surname": "translate((hash(place, 2) % 100000)::VARCHAR, '0123456789', 'AEIOUKRSTV')",
    "birth_date": "DATE '1935-01-01' + (hash(place, 3) % 28000)::INTEGER",
    "address_text": "(place // 3 % 90 + 1) || ' ' || translate((place // 270)::VARCHAR, '0123456789', 'AEIOUKRSTV')"
    " || ' Street'",
    "postcode": "1000 + place // 50",
}
CASES = {
    "alike": ALIKE,
    "different": DIFFERENT,
    "one surname": DIFFERENT | {"surname": ALIKE["surname"]},
    "one birth date": DIFFERENT | {"birth_date": ALIKE["birth_date"]},
    "one home": DIFFERENT | {each: ALIKE[each] for each in ("address_text", "postcode")},
    "no surname": DIFFERENT | {"surname": "NULL"},
    "no birth date": DIFFERENT | {"birth_date": "NULL"},
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--records", type=int, default=1_000_000)
    asked.add_argument("--case", choices=sorted(CASES), default="alike")
    asked.add_argument("--memory", default=Settings.model_fields["memory_limit"].default)
    given = asked.parse_args()
    wall, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as scratch, MemoryWatch() as watch:
        zones = {zone: (Path(scratch) / f"{zone}.duckdb", b"k" * 32) for zone in ("identity", "attributes")}
        temp = Path(scratch) / "temp"
        with opened(zones, temp, [Path(scratch)], given.memory, 2) as con:
            link(Warehouse(con, "crowd", DAY), given.records, given.case)
    print(
        f"all: {time.process_time() - cpu:.1f} CPU s, {time.perf_counter() - wall:.1f} s, peak {watch.peak >> 20:,} MB"
    )


def link(wh: Warehouse, records: int, case: str) -> None:
    """From facts to persons, and what came of it."""
    land(wh, records, CASES[case])
    landed = time.process_time()
    build_gazetteer(wh)
    build_address_uprn(wh)
    build_record_address(wh)
    build_record(wh, b"k" * 32)
    standardised = time.process_time()
    edges = build_edge(wh, VIEWS)
    load_decisions(wh, [])
    build_persons(wh, VIEWS, b"i" * 32)
    largest = wh.scalar(f"SELECT max(n) FROM (SELECT count(*) AS n FROM {MEMBERSHIP} GROUP BY person_id)")
    print(f"{records:,} records, {case}: {edges.pairs:,} pairs, largest cluster {largest}")
    print(f"CPU s: facts to records {standardised - landed:.1f}, linkage {time.process_time() - standardised:.1f}")
    print("model:", edges.chosen)


def land(wh: Warehouse, records: int, values: dict[str, str]) -> None:
    """The facts of so many records, one line each."""
    stated = SAID | values
    with wh.given(pl.DataFrame({"place": range(records)})):
        for fact in ("person_record", "address", "residence"):
            columns = FACTS[fact].all_columns
            said = ", ".join(f"({stated.get(each.name, 'NULL')})::{each.type} AS {each.name}" for each in columns)
            wh.table(f"identity.facts.{fact}", f"SELECT {said} FROM given")


if __name__ == "__main__":
    main()
