"""What a reviewer sees beside an item, laid out so that a page reads it in a few steps: pairs, neighbours, a sample."""

from pathlib import Path

import polars as pl

from pipelines.governance.keys import Keyring
from pipelines.governance.pseudonyms import lasting_name
from pipelines.linkage.edges import EDGE
from pipelines.linkage.labelling import draw
from pipelines.warehouse import Warehouse, sql_file

HERE = Path(__file__).parent
DETAILS = ("match_key", "tier", "model_weight")
SAMPLE = {
    "item_id": pl.String,
    "position": pl.Int64,
    "record_l": pl.String,
    "record_r": pl.String,
    "inclusion_probability": pl.Float64,
    "sample": pl.String,
}


def build_shown(wh: Warehouse, names: dict[str, str]) -> None:
    """Write `identity.review.beside` and `.pair`; needs queue, member, and the temporary tables of build_queue."""
    wh.table("identity.review.beside", sql_file(HERE / "beside.sql", **names))
    columns = wh.columns(EDGE)
    kept = [name for name in columns if name in DETAILS or name.startswith("gamma_")]
    details = "".join(f", edge.{name}" for name in kept)
    wh.table("identity.review.pair", sql_file(HERE / "pair.sql", details=details))


def build_sample(wh: Warehouse, keys: Keyring, view: str, pairs: int) -> None:
    """Write `identity.review.sample`: a random stratified sample of compared pairs, below the thresholds too, each with
    the probability by which it came in; what calibration and honest estimates rest on."""
    drawn = draw(wh, view, pairs, "identity") if wh.exists("identity.linkage.model") else []
    rows = [
        (lasting_name(keys, "s_", "sample", sample, left, right), left, right, float(share), sample)
        for _, left, right, _, share, _, sample in drawn
    ]
    # in the order of keyed names: neither the weight nor the likely answer shows
    placed = [(row[0], place, *row[1:]) for place, row in enumerate(sorted(rows), start=1)]
    with wh.given(pl.DataFrame(placed, schema=SAMPLE, orient="row")):
        wh.table("identity.review.sample", "-- a drawn pair (item_id)\nSELECT * FROM given ORDER BY position")
