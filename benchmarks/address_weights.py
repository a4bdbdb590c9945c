"""Count the weights of the address model anew, on an invented borough of a seed that nothing else is judged by.

`python -m benchmarks.address_weights [--people N] [--seed S] [--out FILE]`: says of each level its weight as pinned and
as counted, in bits; --out writes the counted ones in the form of linkage_models/address/weights.json. Judge those by
`python -m benchmarks.addresses`, before and after.

m is counted on what the model is asked: addresses that no key settled, identifiers withheld, each beside the wording of
its true UPRN that fits best under the pinned weights. u is counted on pairs drawn at random.
"""

import argparse
import json
import math
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.addresses import WITHHELD, matched, taken_in
from linkage_models.address.model import COMPARISONS, weights
from pipelines.warehouse import Warehouse

SEED, PEOPLE, PROFILE = 101, 60_000, "central"
COLUMNS = ("unit", "unit_kind", "building", "number", "number_end", "street", "line", "postcode")
RANDOM_SIDE = 3000
#: Added to every count, so that a level never seen costs much but forbids nothing.
SMOOTHING = 0.5


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--people", type=int, default=PEOPLE)
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--out", type=Path, help="for instance linkage_models/address/weights.json")
    given = asked.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        taken_in(Path(scratch), given.people, given.seed, PROFILE) as (wh, truth),
    ):
        matched(wh, WITHHELD)
        found = counted(wh, truth)
    for name, levels in found.items():
        for label, (m, u) in levels.items():
            before, after = _bits(*weights()["comparisons"][name][label]), _bits(m, u)
            print(f"{name:>10} {label:<32} pinned {before:7.2f} bits, counted {after:7.2f}")
    if given.out:
        told = f"synthetic borough, {given.people:,} people, seed {given.seed}, {PROFILE} errors"
        kept = {"trained_on": f"{told}; addresses left after unique keys, identifiers withheld", "comparisons": found}
        given.out.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def counted(wh: Warehouse, truth: str) -> dict[str, dict[str, list[float]]]:
    """Of each comparison and level (m, u), straight after addresses were matched on this connection."""
    wh.execute(f"CREATE OR REPLACE TEMP TABLE matching AS {_pairs_of_truth()}", [truth])
    wh.execute(f"""CREATE OR REPLACE TEMP TABLE at_random AS SELECT {_sides()} FROM
        (SELECT * FROM splink_source USING SAMPLE reservoir({RANDOM_SIDE} ROWS) REPEATABLE (1)) l,
        (SELECT * FROM splink_gazetteer USING SAMPLE reservoir({RANDOM_SIDE} ROWS) REPEATABLE (2)) r""")
    shares = {name: (_shares(wh, "matching", name), _shares(wh, "at_random", name)) for name in COMPARISONS}
    return {name: {label: [m[label], u[label]] for label in m} for name, (m, u) in shares.items()}


def _sides() -> str:
    return ", ".join(f"l.{column} AS {column}_l, r.{column} AS {column}_r" for column in COLUMNS)


def _pairs_of_truth() -> str:
    weight = " + ".join(_weight(name) for name in COMPARISONS)
    return f"""SELECT * EXCLUDE (source_id) FROM (
        SELECT l.text_id AS source_id, {_sides()}
        FROM splink_source l
        JOIN (SELECT DISTINCT a.text_id, t.uprn FROM source_address a
              JOIN identity.facts.address f USING (address_id)
              JOIN read_parquet(?) t ON t.source = f.source AND t.address_key = f.address_key
              WHERE f.valid_to IS NULL AND t.uprn IS NOT NULL) t ON t.text_id = l.text_id
        JOIN gazetteer_identity g ON g.home_uprn = t.uprn JOIN splink_gazetteer r ON r.text_id = g.text_id)
        QUALIFY row_number() OVER (PARTITION BY source_id ORDER BY {weight} DESC) = 1"""


def _weight(name: str) -> str:
    bits = {label: _bits(m, u) for label, (m, u) in weights()["comparisons"][name].items()} | {"NULL": 0.0}
    return _cases(name, {label: f"{bits[label]:.3f}" for label, _ in COMPARISONS[name]})


def _bits(m: float, u: float) -> float:
    return math.log2(m / u)


def _cases(name: str, says: dict[str, str]) -> str:
    *levels, (last, _) = COMPARISONS[name]
    told = " ".join(f"WHEN {condition} THEN {says[label]}" for label, condition in levels)
    return f"CASE {told} ELSE {says[last]} END"


def _shares(wh: Warehouse, pairs: str, name: str) -> dict[str, float]:
    """Share of each level among the pairs that say something."""
    level = _cases(name, {label: f"'{label}'" for label, _ in COMPARISONS[name]})
    found: dict[str, Any] = dict(wh.rows(f"SELECT {level}, count(*) FROM {pairs} GROUP BY ALL"))
    counts = {label: found.get(label, 0) + SMOOTHING for label, _ in COMPARISONS[name] if label != "NULL"}
    return {label: float(f"{count / sum(counts.values()):.3g}") for label, count in counts.items()}


if __name__ == "__main__":
    main()
