"""What a reviewer sees beside an item, laid out so that a page reads it in a few steps: pairs, neighbours, a sample."""

import json
from pathlib import Path

import polars as pl

from pipelines.governance.protection import protected_persons
from pipelines.keys.keyring import Keyring
from pipelines.keys.pseudonyms import lasting_name
from pipelines.linkage.labelling import Sample, draw
from pipelines.linkage.names_alone import WARY
from pipelines.view_edges import EDGE, compared_in
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
DETAILS = ("match_key", "tier", "model_weight")
#: Of a draw this share must be there still, or another is drawn.
STANDING = 0.9
SAMPLE = {
    "item_id": pl.String,
    "position": pl.Int64,
    "record_l": pl.String,
    "record_r": pl.String,
    "inclusion_probability": pl.Float64,
    "sample": pl.String,
}


def build_shown(wh: Warehouse, view: str, names: dict[str, str]) -> None:
    """Write `identity.review.beside` and `.pair`; needs queue, member, and the temporary tables of build_queue."""
    wh.table("identity.review.beside", sql_file(HERE / "beside.sql", **names))
    columns = wh.columns(EDGE)
    kept = [name for name in columns if name in DETAILS or name.startswith("gamma_")]
    details = "".join(f", edge.{name}" for name in kept)
    beside = ""
    if wh.exists(WARY):
        told = {"wary_bits": "bits", "wary_bar": "bar", "wary_rivals": "rivals", "clustered_weight": "match_weight"}
        details += "".join(f", wary.{column} AS {name}" for name, column in told.items())
        beside = f"LEFT JOIN {WARY} AS wary ON wary.view = '{view}'"
        beside += " AND wary.record_l = edge.record_l AND wary.record_r = edge.record_r"
    wh.table("identity.review.pair", sql_file(HERE / "pair.sql", details=details, beside=beside))


def _goes_on(wh: Warehouse, view: str) -> bool:
    """Keep the pairs of the last draw that may still be shown; whether it goes on."""
    table = "identity.review.sample"
    if not wh.exists(table):
        return False
    drawn = [Sample.read(text) for (text,) in wh.rows(f"SELECT DISTINCT sample FROM {table}")]
    mark = json.loads(wh.scalar("SELECT body FROM identity.linkage.model"))["mark"]
    if len(drawn) != 1 or drawn[0] is None or (drawn[0].view, drawn[0].mark) != (view, mark):
        return False
    protected = protected_persons("identity")
    kept = (
        f"-- a drawn pair that is compared still, of nobody protected (item_id)\nSELECT s.* FROM {table} AS s "
        f"WHERE EXISTS (FROM {compared_in(wh, view)} AS e WHERE e.record_l = s.record_l AND e.record_r = s.record_r) "
        "AND NOT EXISTS (FROM review_member AS m WHERE m.record_id IN (s.record_l, s.record_r) "
        f"AND ('{view}', m.person_id) IN ({protected})) "
        "AND (SELECT count(*) FROM review_member AS m WHERE m.record_id IN (s.record_l, s.record_r)) = 2"
    )
    before = wh.scalar(f"SELECT count(*) FROM {table}")
    wh.execute(f"CREATE OR REPLACE TEMP TABLE kept AS {kept}")
    if wh.scalar("SELECT count(*) FROM kept") < STANDING * before:
        return False
    wh.table(table, "-- a drawn pair that may still be shown (item_id)\nFROM kept ORDER BY position")
    return True


def build_sample(wh: Warehouse, keys: Keyring, view: str, pairs: int) -> None:
    """Write `identity.review.sample`: a random stratified sample of compared pairs, below the thresholds too, each with
    the probability by which it came in; what calibration and honest estimates rest on. One draw goes on from run to
    run, so that answers add up: until another model scores, or too few of its pairs are compared still."""
    if not wh.exists("identity.linkage.model") or _goes_on(wh, view):
        return
    drawn = draw(wh, view, pairs, "identity")
    rows = [
        (lasting_name(keys, "s_", "sample", sample, left, right), left, right, float(share), sample)
        for _, left, right, _, share, _, sample in drawn
    ]
    # in the order of keyed names: neither the weight nor the likely answer shows
    placed = [(row[0], place, *row[1:]) for place, row in enumerate(sorted(rows), start=1)]
    with wh.given(pl.DataFrame(placed, schema=SAMPLE, orient="row")):
        wh.table("identity.review.sample", "-- a drawn pair (item_id)\nSELECT * FROM given ORDER BY position")
