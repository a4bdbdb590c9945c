"""Answers to the random sample calibrate the next run by themselves; too few, or of other records, do not."""

import json
from typing import Any

from linkage_models.thresholds import LEAST_LABELS
from pipelines.settings import DataFolder
from pipelines.snapshots import open_snapshot
from tests.review_app.conftest import reading
from tests.review_app.test_review import store
from tests.review_app.town import VIEWS, Town, publish

Pairs = list[tuple[str, str, float, str]]


def model_of(folder: DataFolder) -> tuple[str, dict[str, Any]]:
    with open_snapshot(folder) as (wh, _):
        chosen, body = wh.rows("SELECT chosen, body FROM published.linkage.model")[0]
    return str(chosen), json.loads(body).get("calibration", {})


def sampled(folder: DataFolder) -> Pairs:
    """Pairs of the sample that every view may read, in the order in which reviewers get them."""
    listed = ", ".join(f"'{source}'" for source in set.intersection(*map(set, VIEWS.values())))
    with open_snapshot(folder) as (wh, _):
        return wh.rows(
            "SELECT record_l, record_r, inclusion_probability, sample FROM published.review.sample "
            f"WHERE split_part(record_l, ':', 1) IN ({listed}) AND split_part(record_r, ':', 1) IN ({listed}) "
            "ORDER BY position"
        )


def answer(folder: DataFolder, town: Town, pairs: Pairs, share: float | None = None, seen: bool = True) -> None:
    """Reviewers answer these pairs as the truth has it; with `share`, a forger gives them another chance."""
    truth = dict(town.truth.select("record_id", "person_id").iter_rows())
    with open_snapshot(folder) as (wh, _):
        marks = dict(wh.rows("SELECT record_id, fingerprint FROM published.people.record"))
    operations = store(folder)
    rows = [
        {"kind": "label", "record_l": left, "record_r": right, "same": truth[left] == truth[right],
         "inclusion_probability": share or drawn, "reason": sample,
         "fingerprint_l": marks[left] if seen else "changed", "fingerprint_r": marks[right]}
        for left, right, drawn, sample in pairs
    ]  # fmt: skip
    operations.add_decisions(rows, "Ruth Reviewer", f"{len(pairs)} {share} {seen}")
    operations.close()


def test_enough_answers_calibrate_the_next_run_and_it_says_so(
    place: DataFolder, founded: tuple[DataFolder, Town]
) -> None:
    pairs = sampled(place)
    assert len(pairs) >= LEAST_LABELS + 25, "the town is too small for this test"
    before = model_of(place)[1]
    answer(place, founded[1], pairs[:30])
    publish(place, founded[1])
    chosen, held = model_of(place)
    assert f"not calibrated here: 30 of the {LEAST_LABELS} random pairs" in chosen and held == before
    assert sampled(place) == pairs  # the draw goes on, so that answers add up

    answer(place, founded[1], pairs[30:])
    publish(place, founded[1])
    chosen, held = model_of(place)
    assert "calibrated here on" in chosen and "not calibrated" not in chosen
    assert held["here"] and LEAST_LABELS <= held["labels"] <= len(pairs) and held["labels"] % 25 == 0
    with reading(place, "Ada Analyst", "analyst") as analyst:
        text = analyst.get("/linkage").text
        assert "Calibrated here" in text and f"{held['labels']} random pairs" in text
    publish(place, founded[1])  # fitted anew on what the model knew, not on what was fitted
    assert model_of(place)[1] == held


def test_answers_that_stand_for_nothing_do_not_count(place: DataFolder, founded: tuple[DataFolder, Town]) -> None:
    """Those about records that changed, and those that no draw took at the chance that stands beside them."""
    before, pairs = model_of(place)[1], sampled(place)
    for forged in ({"seen": False}, {"share": 1e-6}):
        answer(place, founded[1], pairs, **forged)
        publish(place, founded[1])
        chosen, held = model_of(place)
        assert "not calibrated here" in chosen and held == before
    with reading(place, "Ada Analyst", "analyst") as analyst:
        assert "Not calibrated here" in analyst.get("/linkage").text
