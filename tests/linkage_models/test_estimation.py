"""Estimates without a truth: intervals hold as often as they say, and what a site gives away moves them."""

from dataclasses import replace

import duckdb
import numpy as np
import polars as pl

from linkage_models.estimation import Errors, Site, errors_of, estimate, fit_transfer, untried
from linkage_models.evaluation.rates import judge


def sites(count: int, seed: int) -> list[tuple[Site, Errors]]:
    """Sites whose errors come in clumps of three and differ by a factor of 1.4 between sites; signs follow them."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        rates = np.exp(rng.normal(0, 0.35, 2)) * (30, 150)
        wrong, missed = (int(3 * rng.poisson(rate / 3)) for rate in rates)
        signs = [int(rng.poisson(rate / ratio)) for rate, ratio in zip(rates, (4, 50), strict=True)]
        made.append((Site(3000, 90.0, 100.0, signs[0], 60, signs[1]), Errors(wrong, missed, 3.0, 3.0)))
    return made


def test_nine_intervals_in_ten_hold_the_truth_on_sites_not_seen() -> None:
    transfer, held = fit_transfer(sites(15, 1)), np.zeros(2)
    unseen = sites(200, 2)
    for site, errors in unseen:
        said, right = estimate(site, transfer), site.links - errors.wrong
        held += (
            said.precision_low <= right / site.links <= said.precision_high,
            said.recall_low <= right / (right + errors.missed) <= said.recall_high,
        )
    assert (held / len(unseen) > 0.84).all() and (held / len(unseen) < 0.99).all(), held


def test_more_signs_of_error_mean_a_lower_estimate() -> None:
    transfer = fit_transfer(sites(15, 3))
    site = sites(1, 4)[0][0]
    clean, dirty = (estimate(replace(site, violations=v, controls_missed=v), transfer) for v in (0, 40))
    assert dirty.precision < clean.precision and dirty.recall < clean.recall
    assert dirty.precision_high - dirty.precision_low < 0.05


def test_a_model_that_nobody_tried_is_far_from_sure_and_nothing_linked_is_no_crash() -> None:
    site = sites(1, 5)[0][0]
    told, tried = estimate(site, untried()), estimate(site, fit_transfer(sites(15, 6)))
    assert told.precision_high - told.precision_low > 2 * (tried.precision_high - tried.precision_low)
    empty = estimate(Site(0, 0.0, 0.0, 0, 0, 0), untried())
    assert 0 <= empty.recall_low <= empty.recall_high <= 1


def test_errors_are_counted_with_their_clumps() -> None:
    """Two persons, two records each, in one cluster: four wrong pairs at once; a person in two: one missed."""
    with duckdb.connect() as con:
        rows = [("a", 1, 1), ("b", 1, 1), ("c", 1, 2), ("d", 1, 2), ("e", 2, 3), ("f", 3, 3)]
        frame = pl.DataFrame(rows, schema=["record_id", "cluster", "person_id"], orient="row")
        con.register("seen", frame.with_columns(source=pl.lit("s")))
        judge(con, "(SELECT record_id, cluster FROM seen)", "(SELECT record_id, person_id FROM seen)",
              "(SELECT record_id, source FROM seen)")  # fmt: skip
        assert errors_of(con, "judged") == Errors(4, 1, 4.0, 1.0)
