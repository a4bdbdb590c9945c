"""The published run's model, its probabilities fitted to a random sample that reviewers answered."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from linkage_models.calibration import Calibration, TooFewLabels, face_value, thresholds
from linkage_models.models import SYNTHETIC, Model, version_name
from pipelines.faults import BoroughlinkError, plural
from pipelines.linkage.labelling import Sample, calibrate_here
from pipelines.linkage.shelf import stated
from pipelines.modelling.bench import Bench
from pipelines.review.decisions import read_decisions
from pipelines.view_edges import open_view_edges
from pipelines.warehouse import Warehouse

CALIBRATED = "parameters as they were, probabilities fitted to labels"
#: Of the labelled pairs this share must be among the compared ones still, or the sample is of other records.
STANDING = 0.9


def calibrated(wh: Warehouse, bench: Bench, labels: Path) -> tuple[Model, list[str]]:
    """The published run's model with probabilities fitted to the labels, and what that changes."""
    scored = Model.of(*wh.rows("SELECT body, terms FROM published.linkage.model")[0])
    parent = bench.shelf.load(scored.version)
    if parent.mark != scored.mark:
        raise BoroughlinkError(f"Model {parent.version} is no longer the one that scored run {wh.run_id}: run again.")
    sample, rows = _sample(labels)
    if sample.mark != scored.mark:
        raise BoroughlinkError(
            f"{labels} was drawn in run {sample.run}, whose pairs another model scored than {scored.version} of run"
            f" {wh.run_id}: draw a new sample with `boroughlink export label-sample`, or pin that model and run again."
        )
    if strange := sum(not drawn for drawn in sample.draws(wh, rows)):
        raise BoroughlinkError(
            f"{labels}: {strange:,} of {plural(len(rows), 'pair')} were not drawn in run {sample.run} with the"
            " inclusion probability that stands beside them. Only a random sample as `boroughlink export label-sample`"
            " wrote it can calibrate: leave its columns record_l, record_r, inclusion_probability and sample."
        )
    try:
        said = f"fitted to {plural(len(rows), 'label')} of reviewers, drawn in run {sample.run}"
        after = calibrate_here(wh, rows, said, sample.view)
    except TooFewLabels as fault:
        raise BoroughlinkError(f"{labels}: {fault}.") from None
    if after.labels < STANDING * len(rows):
        raise BoroughlinkError(
            f"{labels}: {len(rows) - after.labels:,} of {plural(len(rows), 'pair')} are not compared in run"
            f" {wh.run_id}: the sample is of other records. Draw a new one."
        )
    before = scored.calibration or face_value()
    on = scored.card.get("trained_on", {}) | {"run": wh.run_id, "day": wh.as_of.isoformat()}
    sources = dict(
        wh.rows("SELECT source, count(*) FROM published.people.record WHERE is_person GROUP BY 1 ORDER BY 1")
    )
    kept = {"kind": "records", "parameters_of": parent.version, "sources": sources, "run": on["run"], "day": on["day"]}
    if parent.of_invented_people:
        kept["parameters_from"] = SYNTHETIC
    model = replace(
        parent.calibrated(after),
        version=version_name(wh.as_of),
        card=parent.card | {"trained_on": kept, "note": CALIBRATED, "calibrated": True},
    )
    return stated(model, bench.settings), list(_moved_thresholds(wh, bench, before, after))


def _sample(path: Path) -> tuple[Sample, list[dict[str, Any]]]:
    """An answered label sample. Raises BoroughlinkError if it is none, or lacks what a calibration stands on."""
    rows = read_decisions(path)
    if other := sum(row["kind"] != "label" for row in rows):
        raise BoroughlinkError(
            f"{path}: {other:,} of {plural(len(rows), 'row')} are decisions, no labels: only a random sample can"
            " calibrate (`boroughlink export label-sample`); decisions on chosen pairs go in with `boroughlink"
            " decisions import`."
        )
    if without := sum("inclusion_probability" not in row for row in rows):
        raise BoroughlinkError(
            f"{path}: {without:,} of {plural(len(rows), 'pair')} have no inclusion probability. Without it nobody knows"
            " what they stand for: label a sample that `boroughlink export label-sample` drew, and leave that column."
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        drawn = {(line.get("sample") or "").strip() for line in csv.DictReader(file)}
    sample = Sample.read(drawn.pop()) if len(drawn) == 1 else None
    if sample is None:
        raise BoroughlinkError(
            f"{path}: its column `sample` must say the same draw on every line, as `boroughlink export label-sample`"
            " wrote it: one sample at a time, whole."
        )
    return sample, rows


def _moved_thresholds(wh: Warehouse, bench: Bench, before: Calibration, after: Calibration) -> Iterator[str]:
    """What another calibration of the same weights does to the thresholds of each view."""
    for view in sorted(bench.views):
        weight = _weights(wh, view)
        if not len(weight):
            continue
        old, new = (thresholds(each, weight, bench.settings.target_precision) for each in (before, after))
        linked = [int((weight >= at.link).sum()) for at in (old, new)]
        yield (
            f"{view}: pairs link from {new.link:+.2f} (before {old.link:+.2f}), go to review from {new.review:+.2f}"
            f" (before {old.review:+.2f}); {linked[1]:,} pairs link on their own evidence (before {linked[0]:,}),"
            f" {new.expected:.2%} of them expected to be right."
        )


def _weights(wh: Warehouse, view: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Weights of the published pairs inside a view."""
    open_view_edges(wh, view, "published")
    found = wh.con.execute(
        """SELECT e.match_weight AS weight FROM view_edge e
        JOIN published.linkage.membership l ON l.view = $view AND l.record_id = e.record_l
        JOIN published.linkage.membership r ON r.view = $view AND r.record_id = e.record_r""",
        {"view": view},
    ).fetchnumpy()
    return np.asarray(found["weight"], dtype=np.float64)
