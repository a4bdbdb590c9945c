"""A reviewers' random sample of compared pairs with known inclusion probabilities, for calibrations to learn from.

Not the review queue, which shows only pairs in doubt. Pairs whose answer is open are drawn more often (in proportion to
the standard deviation of the answer: Neyman 1934), all with a probability above nought, each by its own draw (Poisson
sampling), which hangs on the run and the pair alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from linkage_models.calibration import Calibration, calibrate
from pipelines.governance.protection import protected_persons
from pipelines.linkage.certainty import calibration_of
from pipelines.view_edges import open_view_edges
from pipelines.warehouse import Warehouse

COLUMNS = ("kind", "record_l", "record_r", "same", "inclusion_probability", "reason", "sample")
# The least standard deviation that a pair is drawn by, so that the plain ones are checked too.
PLAIN = 0.05


# An MD5 modulo a prime by its halves (DuckDB calls the upper one lower): the modulo of 128 bits costs ten times more
_SAID = "{l} || '|' || {r} || '|' || $run"
_CHANCE = (
    f"((md5_number_lower({_SAID}) % 1000000007 * {2**64 % 1000000007} + md5_number_upper({_SAID}) % 1000000007)"
    " % 1000000007)::DOUBLE / 1000000007"
)


@dataclass(frozen=True)
class Sample:
    """Which draw a sample came from: the run, the view, the mark of the model that scored its pairs."""

    run: str
    view: str
    mark: str

    def __str__(self) -> str:
        return f"{self.run} {self.view} {self.mark}"

    @classmethod
    def read(cls, text: str) -> "Sample | None":
        parts = text.split(" ")
        return cls(*parts) if len(parts) == 3 else None

    def draws(self, wh: Warehouse, labels: Sequence[Mapping[str, Any]]) -> list[bool]:
        """Of each labelled pair, whether this draw takes it at the inclusion probability that stands beside it."""
        pairs = [sorted((each["record_l"], each["record_r"])) for each in labels]
        chances = wh.rows(
            f"SELECT {_CHANCE.format(l='l', r='r')}"
            " FROM (SELECT unnest($l) AS l, unnest($r) AS r, unnest($place) AS place) ORDER BY place",
            {"l": [p[0] for p in pairs], "r": [p[1] for p in pairs], "place": list(range(len(pairs))), "run": self.run},
        )
        return [chance < each["inclusion_probability"] for (chance,), each in zip(chances, labels, strict=True)]


def draw(
    wh: Warehouse, view: str, pairs: int, catalog: str = "published"
) -> list[tuple[str, str, str, str, str, str, str]]:
    """About `pairs` pairs of a view as rows of a decisions file, `same` left open for the reviewer."""
    open_view_edges(wh, view, catalog)
    wh.execute(
        f"""-- one row per compared pair inside the view, of nobody protected
        CREATE OR REPLACE TEMP TABLE compared AS
        WITH open AS MATERIALIZED (
            SELECT record_id FROM {catalog}.linkage.membership
            WHERE view = $view AND (view, person_id) NOT IN ({protected_persons(catalog)}))
        SELECT e.record_l, e.record_r, e.match_weight, {_CHANCE.format(l="e.record_l", r="e.record_r")} AS chance
        FROM view_edge e SEMI JOIN open l ON l.record_id = e.record_l SEMI JOIN open r ON r.record_id = e.record_r""",
        {"run": wh.run_id, "view": view},
    )
    told = wh.con.execute("SELECT match_weight, chance FROM compared ORDER BY rowid").fetchnumpy()
    inclusion = _inclusion(calibration_of(wh, catalog).probability(np.asarray(told["match_weight"])), pairs)
    drawn = np.flatnonzero(np.asarray(told["chance"]) < inclusion)
    with wh.given(pl.DataFrame({"row": drawn, "share": inclusion[drawn]})):
        # in the order of their names: that of `chance` would tell the likely answers
        rows = wh.rows("SELECT record_l, record_r, share FROM compared JOIN given ON row = compared.rowid ORDER BY ALL")
    wh.execute("DROP TABLE compared")
    mark = json.loads(wh.scalar(f"SELECT body FROM {catalog}.linkage.model"))["mark"]
    sample = str(Sample(wh.run_id, view, mark))
    return [("label", left, right, "", f"{share:.6f}", "", sample) for left, right, share in rows]


def _inclusion(said: np.ndarray, pairs: int) -> np.ndarray:
    """Of pairs that are the same with these probabilities, that of coming into a draw of so many, rounded as it will be
    written, so that what is written is what was drawn by."""
    size = np.sqrt(said * (1 - said)) + PLAIN
    inclusion = np.minimum(size, 1.0)
    free = inclusion < 1
    while free.any() and (wanted := pairs - (~free).sum()) > 0:  # who is certain to be drawn leaves more for the others
        # summed in order, so that the order of the pairs does not tell in the last digit
        inclusion = np.where(free, np.minimum(size * wanted / np.sort(size[free]).sum(), 1.0), 1.0)
        before, free = free, inclusion < 1
        if (free == before).all():
            break
    return np.maximum(np.round(inclusion, 6), 1e-6)


def calibrate_here(
    wh: Warehouse,
    labels: Sequence[Mapping[str, Any]],
    source: str,
    view: str,
    catalog: str = "published",
    prior: Calibration | None = None,
) -> Calibration:
    """The calibration of the run's model from labels of its compared pairs in a view, on top of `prior`: what the model
    knew, by default that of the run.

    `labels` hold record_l, record_r, same and inclusion_probability (or nothing); `source` says where they come from.
    Raises TooFewLabels.
    """
    rows = [(each["record_l"], each["record_r"], each["same"], each.get("inclusion_probability")) for each in labels]
    types = {
        "record_l": pl.String,
        "record_r": pl.String,
        "same": pl.Boolean,
        "inclusion_probability": pl.Float64,
    }
    wh.con.register("label_given", pl.DataFrame(rows, schema=types, orient="row"))
    try:
        open_view_edges(wh, view, catalog)
        return calibrate(wh.con, "view_edge", "label_given", source, prior or calibration_of(wh, catalog))
    finally:
        wh.con.unregister("label_given")
