"""Calibration: weights that lie are put right, few labels move little, thresholds keep what they promise."""

import duckdb
import numpy as np
import polars as pl
import pytest

from linkage_models import thresholds as policy
from linkage_models.calibration import (
    Calibration,
    TooFewLabels,
    calibrate,
    calibration_error,
    face_value,
    fit,
    reliability,
    thresholds,
)


def lying(pairs: int, seed: int, shift: float = 3.0, slope: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Weights whose true log2 odds are slope * weight + shift."""
    rng = np.random.default_rng(seed)
    weight = rng.uniform(-15, 20, pairs)
    return weight, (rng.random(pairs) < 1 / (1 + 2.0 ** -(slope * weight + shift))).astype(float)


def test_weights_that_lie_are_put_right_on_pairs_not_seen() -> None:
    found = fit(*lying(20_000, 1), source="test", here=True)
    unseen = lying(20_000, 2)
    assert calibration_error(reliability(found, *unseen)) < 0.01
    assert calibration_error(reliability(face_value(), *unseen)) > 0.05


def test_the_curve_rises_and_its_sql_says_the_same(tmp_path: object) -> None:
    found = fit(*lying(3_000, 3), source="test", here=True)
    weight = np.linspace(-40, 60, 301)
    said = found.probability(weight)
    assert (np.diff(said) >= 0).all()
    with duckdb.connect() as con:
        con.register("pair", pl.DataFrame({"place": range(301), "w": weight}))
        sql = con.execute(f"SELECT {found.probability_sql('w')} AS p FROM pair ORDER BY place").fetchnumpy()["p"]
    assert np.allclose(sql, said, atol=1e-12)
    assert Calibration.of(found.as_dict()).probability(weight) == pytest.approx(said, abs=1e-4)


def test_inclusion_probabilities_undo_the_choice_of_the_sample() -> None:
    """Pairs of one person are drawn ten times as often as the others at the same weight, and said to be."""
    weight, same = lying(40_000, 4)
    rng = np.random.default_rng(5)
    drawn_with = np.where(same == 1, 0.5, 0.05)
    picked = rng.random(len(weight)) < drawn_with
    blind = fit(weight[picked], same[picked], source="test", here=True)
    fair = fit(weight[picked], same[picked], 1 / drawn_with[picked], source="test", here=True)
    errors = [calibration_error(reliability(each, weight, same)) for each in (fair, blind)]
    assert errors[0] < 0.02 < 0.1 < errors[1]


def test_a_small_sample_moves_the_prior_a_little_and_keeps_its_shape() -> None:
    prior = fit(*lying(20_000, 6), source="shipped", here=False)
    held_out = lying(20_000, 7, shift=2.0)
    few = [fit(*lying(150, seed, shift=2.0), source="few", here=True, prior=prior) for seed in range(8, 16)]
    assert np.mean([calibration_error(reliability(each, *held_out)) for each in few]) < 0.04
    low, high = few[0].interval(np.array([0.0]))
    assert low[0] < few[0].probability(np.array([0.0]))[0] < high[0] and high[0] - low[0] > 0.05


def test_labels_find_their_pairs_whichever_way_round_and_too_few_are_refused() -> None:
    weight, same = lying(500, 17)
    with duckdb.connect() as con:
        named = pl.DataFrame({"record_l": [f"a{i}" for i in range(500)], "record_r": [f"b{i}" for i in range(500)]})
        con.register("edge", named.with_columns(match_weight=weight))
        turned = named.rename({"record_l": "record_r", "record_r": "record_l"})
        labels = turned.with_columns(same=same == 1, inclusion_probability=pl.lit(None, dtype=pl.Float64))
        con.register("label", labels)
        con.register("few", labels.head(30))
        assert calibrate(con, "edge", "label", "test").labels == 500
        with pytest.raises(TooFewLabels, match="30 labelled pairs were compared here"):
            calibrate(con, "edge", "few", "test")


def test_the_link_threshold_keeps_its_promise_and_never_falls_below_the_floor() -> None:
    found = fit(*lying(20_000, 18), source="test", here=True)
    weight, same = lying(50_000, 19)
    strict, loose = thresholds(found, weight, 0.999), thresholds(found, weight, 0.6)
    assert same[weight >= strict.link].mean() > 0.997 and strict.expected >= 0.999
    assert loose.link == policy.LINK_WEIGHT and loose.review < loose.link < strict.link
    assert found.probability(np.array([loose.review]))[0] == pytest.approx(policy.REVIEW_PROBABILITY, abs=0.01)
    assert thresholds(face_value(), np.array([-5.0, 4.0]), 0.99).link == policy.NOTHING_LINKS
