"""Do probabilities mean what they say, and do estimates without a truth hold? Prints both beside their goals.

`python -m benchmarks.sureness --folder DIR` judges the pinned model on boroughs that it has never seen: the calibration
error over pairs with weights -5 to 15 in 15 bins of equal mass (goal 0.02), and in how many of 20 small boroughs the
90 % intervals of precision and recall, estimated without the truth, hold the truth. `--fit` first fits calibration and
transfer to labelled training boroughs of other seeds and writes them into the model file.
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.fixtures import VIEW, Fixture, fixture, linked
from linkage_models.calibration import Calibration, calibration_error, face_value, fit, reliability
from linkage_models.estimation import Errors, Site, Transfer, errors_of, estimate, fit_transfer, survey
from linkage_models.evaluation.rates import judge
from linkage_models.models import TRAINED, Model, pinned
from pipelines.view_edges import open_view_edges

# (seed, people, profile). Councils differ in their errors, so the training boroughs differ in profile and size.
TRAINING = (
    *((seed, 2_000, "central") for seed in (500, 501, 502)),
    (53, 5_000, "harsh"),
    (55, 30_000, "central"),
)
# How far forecasts hold elsewhere is told by many places, each by itself: five gave intervals too narrow.
SITES = (*TRAINING, *((seed, 2_000, "central") for seed in range(620, 640)))
HELD_OUT = 640
LOW, HIGH = -5.0, 15.0


class Labelled:
    """A linked borough: weights (in its view) and truth of its pairs, what can be counted without it, its errors."""

    def __init__(self, given: Fixture, calibration: Calibration, model: Model) -> None:
        with linked(given) as wh:
            said = calibration.probability_sql("match_weight")
            open_view_edges(wh, VIEW)
            wh.execute(f"CREATE TEMP VIEW calibrated AS SELECT * REPLACE ({said} AS match_probability) FROM view_edge")
            found = wh.con.execute(
                """SELECT e.match_weight AS weight, (l.person_id = r.person_id)::DOUBLE AS same FROM view_edge e
                JOIN truth_record l ON l.record_id = e.record_l JOIN truth_record r ON r.record_id = e.record_r
                ORDER BY e.record_l, e.record_r"""
            ).fetchnumpy()
            self.weight, self.same = np.asarray(found["weight"]), np.asarray(found["same"])
            judge(wh.con, "found_cluster", "truth_record", "truth_record")
            self.errors: Errors = errors_of(wh.con, "judged")
            self.site: Site = survey(wh.con, "calibrated", "found_cluster", "identity.people.record", model.settings)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--folder", default="boroughlink-demo/fixtures", help="where the boroughs are kept")
    asked.add_argument("--fit", action="store_true", help="fit to the training boroughs and write the model file")
    asked.add_argument("--first", type=int, default=HELD_OUT, help="the seed of the first held-out borough")
    asked.add_argument("--held-out", type=int, default=20, help="how many held-out boroughs")
    given = asked.parse_args()
    folder, model = Path(given.folder).resolve(), pinned()
    if given.fit:
        model = fitted(folder, model)
        model.save(TRAINED)
        print(f"written: {TRAINED.name}/{model.version}.json")
    calibration = model.calibration or face_value()
    seeds = range(given.first, given.first + given.held_out)
    sites = {seed: Labelled(fixture(folder, seed, 2_000, "central"), calibration, model) for seed in seeds}
    print(f"model {model.version}; {calibration.source}; held-out seeds {seeds[0]} to {seeds[-1]}")
    tell_calibration(calibration, list(sites.values()))
    if model.transfer:
        tell_estimates(model.transfer, sites)


def fitted(folder: Path, model: Model) -> Model:
    """The model with a calibration fitted to the training boroughs, each counting by the root of its pairs (by their
    number the largest alone would speak, all alike the smallest), and a transfer fitted to SITES."""
    flat = face_value()
    boroughs = [Labelled(fixture(folder, *each), flat, model) for each in TRAINING]
    counts = [np.full(len(each.weight), len(each.weight) ** -0.5) for each in boroughs]
    listed = ", ".join(str(seed) for seed, *_ in TRAINING)
    seeds = f"fitted to synthetic boroughs of seeds {listed}; not calibrated here"
    calibration = fit(
        np.concatenate([each.weight for each in boroughs]),
        np.concatenate([each.same for each in boroughs]),
        np.concatenate(counts),
        source=seeds,
        here=False,
    )
    surveyed = [Labelled(fixture(folder, *each), calibration, model) for each in SITES]
    transfer = fit_transfer([(each.site, each.errors) for each in surveyed])
    return model.calibrated(calibration, transfer)


def tell_calibration(calibration: Calibration, sites: list[Labelled]) -> None:
    weight, same = (np.concatenate([getattr(each, name) for each in sites]) for name in ("weight", "same"))
    inside = (weight >= LOW) & (weight <= HIGH)
    bins = reliability(calibration, weight[inside], same[inside])
    raw = reliability(face_value(), weight[inside], same[inside])
    with pl.Config(tbl_rows=20, float_precision=4, tbl_hide_dataframe_shape=True):
        print(bins)
    print(
        f"calibration error over {inside.sum():,} pairs: {calibration_error(bins):.4f} (goal 0.02; worst bin"
        f" {bins['error'].max():.4f}); at face value {calibration_error(raw):.4f}"
    )


def tell_estimates(transfer: Transfer, sites: dict[int, Labelled]) -> None:
    held = {"precision": 0, "recall": 0}
    print("seed  precision  estimated (90 %)              recall  estimated (90 %)")
    for seed, each in sites.items():
        said = estimate(each.site, transfer)
        right = each.site.links - each.errors.wrong
        true = {"precision": right / each.site.links, "recall": right / (right + each.errors.missed)}
        parts = [str(seed)]
        for name, value in true.items():
            low, high = getattr(said, f"{name}_low"), getattr(said, f"{name}_high")
            held[name] += low <= value <= high
            mark = "" if low <= value <= high else " *"
            parts.append(f"{value:.4f}  {getattr(said, name):.4f} ({low:.4f} to {high:.4f}){mark:2}")
        print("  ".join(parts))
    print(f"intervals that hold the truth, of {len(sites)}: {held} (nominal 90 %: {0.9 * len(sites):.0f})")


if __name__ == "__main__":
    main()
