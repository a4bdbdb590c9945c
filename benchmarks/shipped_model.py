"""Train the model that ships with the code, on an invented borough of a seed that nothing else is judged by.

`python -m benchmarks.shipped_model [--seed N] [--people N] [--out DIR]` makes the borough, runs the pipeline over it
and trains on its person records; it writes person-<today>.json and its term frequencies. Names and numbers in it are
invented: no council's data may be used here.
"""

import argparse
import tempfile
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from benchmarks.whole_runs import copy_out, ran
from linkage_models import thresholds as policy
from linkage_models.models import SYNTHETIC, TRAINED, Model
from linkage_models.person.records import link_table
from linkage_models.training import train
from pipelines.warehouse import scratch_warehouse
from synthetic_data import generator
from synthetic_data.borough import make_borough

SEED, PEOPLE, PROFILE = 55, 30_000, "central"
EXTRACTED = date(2026, 10, 31)
# More than a council trains on: of half a million random pairs so few share an e-mail or a mobile that its
# u moved by five bits from one draw to another.
PAIRS = {"U_PAIRS": 4_000_000, "NEIGHBOUR_PAIRS": 2_000_000, "EM_PAIRS": 1_000_000}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--people", type=int, default=PEOPLE)
    asked.add_argument("--records", help="person records of such a borough already exported as Parquet")
    asked.add_argument("--out", default=str(TRAINED))
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        records = Path(given.records or Path(scratch) / "records.parquet")
        if not given.records:
            make_borough(Path(scratch) / "borough", given.people, given.seed, PROFILE, as_of=EXTRACTED, progress=print)
            folder = ran(Path(scratch) / "data", Path(scratch) / "borough" / "landing", EXTRACTED)
            copy_out(folder, {"people.record": records})
        model = trained_on(records, given.people, given.seed)
        print(f"saved {model.save(Path(given.out))}; now fit its calibration: python -m benchmarks.sureness --fit")


def trained_on(records: Path, people: int, seed: int) -> Model:
    """A model trained on the person records of a Parquet file, which come from a borough of these people and seed."""
    origin = {"kind": SYNTHETIC, "generator": generator(), "seed": seed, "people": people, "profile": PROFILE}
    for name, pairs in PAIRS.items():
        setattr(policy, name, pairs)
    note = f"borough of synthetic_data: {people:,} people, seed {seed}, {PROFILE} errors"
    with scratch_warehouse(EXTRACTED, threads=2) as wh:
        wh.execute("CREATE TABLE identity.people.record AS FROM read_parquet(?)", [str(records)])
        link_table(wh.con, "identity.people.record", "person_link", "is_person")
        model = train(wh.con, "person_link", datetime.now().astimezone().date(), people, note=note)
    return replace(model, card=model.card | {"trained_on": origin})


if __name__ == "__main__":
    main()
