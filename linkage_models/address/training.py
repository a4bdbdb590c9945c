"""Weights of the address model from labelled addresses: how often each level holds among matches (m) and at random (u).

Only synthetic boroughs are used for the pinned weights.json, with other seeds than any evaluation; see tests and docs.
"""

import math
from typing import Any

import duckdb

from linkage_models.address.model import COMPARISONS, weights

COLUMNS = ("unit", "unit_kind", "building", "number", "number_end", "street", "line", "postcode")
RANDOM_SIDE = 3000
#: Added to every count, so that a level never seen costs much but forbids nothing.
SMOOTHING = 0.5


def train_weights(con: duckdb.DuckDBPyConnection, truth: str) -> dict[str, Any]:
    """Weights from table `truth` (address_id, uprn), straight after `match_addresses` on the same connection.

    m is counted on the addresses that no identifier and no key settled: they are what the model sees.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE training_pair AS {_pairs_of_truth(truth)}")
    matches = {name: _shares(con, "training_pair", name) for name in COMPARISONS}
    con.execute(f"""CREATE OR REPLACE TEMP TABLE training_random AS SELECT {_sides()} FROM
        (SELECT * FROM splink_source USING SAMPLE reservoir({RANDOM_SIDE} ROWS) REPEATABLE (1)) l,
        (SELECT * FROM splink_gazetteer USING SAMPLE reservoir({RANDOM_SIDE} ROWS) REPEATABLE (2)) r""")
    others = {name: _shares(con, "training_random", name) for name in COMPARISONS}
    return {
        name: {label: [matches[name][label], others[name][label]] for label in matches[name]} for name in COMPARISONS
    }


def _sides() -> str:
    return ", ".join(f"l.{column} AS {column}_l, r.{column} AS {column}_r" for column in COLUMNS)


def _pairs_of_truth(truth: str) -> str:
    """Each waiting text with that wording of its true UPRN which fits best under the present weights."""
    weight = " + ".join(_weight(name) for name in COMPARISONS)
    return f"""SELECT * EXCLUDE (source_id) FROM (
        SELECT l.text_id AS source_id, {_sides()}
        FROM splink_source l
        JOIN (SELECT DISTINCT a.text_id, t.uprn FROM source_address a JOIN {truth} t USING (address_id)) t
            ON t.text_id = l.text_id
        JOIN gazetteer_identity g ON g.home_uprn = t.uprn JOIN splink_gazetteer r ON r.text_id = g.text_id)
        QUALIFY row_number() OVER (PARTITION BY source_id ORDER BY {weight} DESC) = 1"""


def _weight(name: str) -> str:
    pinned = weights()["comparisons"][name]
    cases = " ".join(
        f"WHEN {condition} THEN {0.0 if label == 'NULL' else math.log2(pinned[label][0] / pinned[label][1]):.3f}"
        for label, condition in COMPARISONS[name]
        if condition != "ELSE"
    )
    last = pinned[COMPARISONS[name][-1][0]]
    return f"CASE {cases} ELSE {math.log2(last[0] / last[1]):.3f} END"


def _shares(con: duckdb.DuckDBPyConnection, pairs: str, name: str) -> dict[str, float]:
    """Share of each level among the pairs that say something."""
    levels = COMPARISONS[name]
    cases = " ".join(f"WHEN {condition} THEN '{label}'" for label, condition in levels if condition != "ELSE")
    found = con.execute(f"""SELECT level, count(*) FROM
        (SELECT CASE {cases} ELSE '{levels[-1][0]}' END AS level FROM {pairs}) WHERE level <> 'NULL'
            GROUP BY level""").fetchall()
    counts = {label: SMOOTHING for label, _ in levels if label != "NULL"}
    for level, count in found:
        counts[level] += count
    total = sum(counts.values())
    return {label: float(f"{count / total:.3g}") for label, count in counts.items()}
