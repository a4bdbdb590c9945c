"""What reviewers answered of the random sample, and the calibration that a run takes from it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from linkage_models.calibration import TooFewLabels, face_value
from linkage_models.models import Model
from linkage_models.thresholds import LEAST_LABELS
from pipelines.faults import plural
from pipelines.linkage.edges import MODEL
from pipelines.linkage.labelling import Sample, calibrate_here
from pipelines.operations import Operations
from pipelines.people.records import RECORD
from pipelines.view_edges import EDGE
from pipelines.warehouse import Warehouse

#: Answers count in steps of so many: another calibration scores all pairs afresh, which no single answer is worth.
STEP = 25
Answer = Mapping[str, Any]


def random_answers(operations: Operations) -> list[Answer]:
    """Answered pairs of random samples, in the order of the answers: labels with the chance by which each was drawn and
    the draw (`sample`). Others (chosen pairs, imported labels) stand for nobody but themselves and are not among them.
    """
    rows = (row for row in operations.decisions() if row["kind"] == "label" and row["inclusion_probability"])
    drawn = [(row, Sample.read(operations.reason(row["reason"]) or "")) for row in rows if row["reason"]]
    return sorted(
        (row | {"sample": sample} for row, sample in drawn if sample), key=lambda row: int(row["decision_id"])
    )


def calibrated_by_review(
    wh: Warehouse, model: Model, answers: Sequence[Answer], views: Mapping[str, Sequence[str]]
) -> tuple[Model, str]:
    """The model with its probabilities fitted to the answers, on top of what it knew; and what was done, in words.

    Answers count where this model scored the pair, both records are as they were when it was answered, and every view
    may read them: what lies outside a view must move nothing in it. Reads the edges of the run before, which are those
    that the reviewers saw; as long as there are too few answers, the model stays as it is.
    """
    scored = wh.exists(EDGE) and wh.exists(MODEL)
    own = [each for each in answers if each["sample"].mark == model.mark] if scored else []
    standing = _standing(wh, own, views)
    if not standing:
        return model, "not calibrated here: no random pair was answered" if answers else ""
    draw = Counter(each["sample"] for each in standing).most_common(1)[0][0]
    one = [each for each in standing if each["sample"] == draw]
    one = [each for each, drawn in zip(one, draw.draws(wh, one), strict=True) if drawn]
    counted = one[: len(one) // STEP * STEP]
    said = f"{plural(len(counted), 'random pair')} that reviewers answered, drawn in run {draw.run}"
    before = model.calibration or face_value()
    try:
        fitted = calibrate_here(wh, counted, f"fitted to {said}", draw.view, "identity", before)
    except TooFewLabels:
        few = f"{len(one)} of the {LEAST_LABELS} random pairs that it takes are answered"
        return model, f"not calibrated here: {few}"
    return model.calibrated(fitted), f"calibrated here on {said}"


def _standing(wh: Warehouse, answers: Sequence[Answer], views: Mapping[str, Sequence[str]]) -> list[Answer]:
    """The answers whose records are as they were seen, and which every view may read."""
    ids = sorted({each[f"record_{side}"] for each in answers for side in "lr"})
    rows = wh.rows(f"SELECT record_id, source, fingerprint FROM {RECORD} WHERE record_id IN (SELECT unnest(?))", [ids])
    reads = [set(sources) for sources in views.values() if sources]
    common = set.intersection(*reads) if reads else {source for _, source, _ in rows}
    now = {record: mark for record, source, mark in rows if source in common}
    seen = [(each, [(each[f"record_{side}"], each[f"fingerprint_{side}"]) for side in "lr"]) for each in answers]
    return [each for each, sides in seen if all(record in now and now[record] == mark for record, mark in sides)]
