"""Person records of invented boroughs with their truth, made by the real pipeline once and kept as Parquet."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.whole_runs import copy_out, ran
from pipelines.linkage.constraints import load_decisions
from pipelines.linkage.edges import build_edge
from pipelines.linkage.persons import build_persons
from pipelines.warehouse import Warehouse, scratch_warehouse
from synthetic_data.borough import make_borough

DAY = date(2026, 11, 1)
VIEW = "data_quality"


@dataclass(frozen=True)
class Fixture:
    """records.parquet (people.record), property.parquet (the gazetteer) and truth/ in one folder."""

    place: Path

    @property
    def records(self) -> Path:
        return self.place / "records.parquet"

    @property
    def truth(self) -> Path:
        return self.place / "truth"


def fixture(folder: Path, seed: int, people: int, profile: str = "central") -> Fixture:
    """The borough of a seed in `folder`, made if it is not there yet."""
    made = Fixture(folder / f"{seed}-{people}-{profile}")
    if made.records.exists():
        return made
    shutil.rmtree(made.place, ignore_errors=True)
    made.place.mkdir(parents=True)
    make_borough(made.place / "borough", people, seed, profile=profile)
    data = ran(made.place / "data", made.place / "borough" / "landing", DAY, "+key:people/record")
    copy_out(data, {"places.property": made.place / "property.parquet", "people.record": made.records})
    (made.place / "borough" / "truth").rename(made.truth)
    shutil.rmtree(data.root)
    shutil.rmtree(made.place / "borough")
    return made


@contextmanager
def linked(given: Fixture) -> Iterator[Warehouse]:
    """The records of a fixture linked as the pipeline links them, all sources in one view, in memory.

    Also the temporary tables truth_record (record_id, source, person_id) and found_cluster (record_id, cluster).
    """
    with scratch_warehouse(DAY, threads=2) as wh:
        wh.execute(f"CREATE TABLE identity.people.record AS FROM read_parquet('{given.records}')")
        wh.execute(f"CREATE TABLE identity.places.property AS FROM read_parquet('{given.place / 'property.parquet'}')")
        sources = [row[0] for row in wh.rows("SELECT DISTINCT source FROM identity.people.record ORDER BY 1")]
        build_edge(wh)
        load_decisions(wh, [])
        build_persons(wh, {VIEW: sources}, b"benchmark")
        wh.execute(
            "CREATE TEMP TABLE truth_record AS SELECT r.record_id, r.source, t.person_id FROM identity.people.record r"
            f" JOIN read_parquet('{given.truth / 'records.parquet'}') t USING (source, source_key)"
        )
        wh.execute(
            "CREATE TEMP TABLE found_cluster AS SELECT record_id, person_id AS cluster FROM identity.linkage.membership"
        )
        yield wh
