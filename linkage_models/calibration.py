"""Match weights become probabilities that mean what they say, and thresholds follow from a target precision.

The curve is fitted in two steps: a logistic recalibration of what was believed before (intercept and slope: Cox,
Biometrika 1958, shrunk so that few labels move it little), then isotonic regression over bins of the weight, each bin
shrunk towards that line. Labels count by the inverse of their inclusion probability (Horvitz and Thompson 1952), a bin
as the number of labels that a simple random sample would need for the same variance (Kish 1965).
"""

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import betaincinv, expit

from linkage_models import thresholds as policy

Floats = NDArray[np.float64]
LN2 = float(np.log(2))
LEAST_SHARE = 1e-9  # nearer to 0 or 1 than this is rounding


class TooFewLabels(ValueError):
    """The labels can't carry a calibration; the message says what is missing."""


@dataclass(frozen=True)
class Knot:
    """At this match weight the log2 odds of "same person", and the ends of their interval."""

    weight: float
    odds: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """Log2 odds, piecewise linear between knots of the match weight, flat outside them.

    `here`: fitted to labels of the records that it is used on. `source` says in words what it was fitted to; `labels`
    how many pairs, `effective` what they are worth as a simple random sample. `model` is the mark of the model whose
    weights it reads: to any other's weights it says nothing.
    """

    knots: tuple[Knot, ...]
    source: str
    here: bool
    labels: int
    effective: float
    model: str = ""

    def probability(self, weight: Floats) -> Floats:
        """Probability that pairs of these weights are of one person."""
        return _share(self._at(weight, "odds"))

    def odds(self, weight: Floats) -> Floats:
        """The same as log2 odds."""
        return self._at(weight, "odds")

    def interval(self, weight: Floats) -> tuple[Floats, Floats]:
        """Ends of the interval (INTERVAL_LEVEL) around `probability`."""
        return _share(self._at(weight, "low")), _share(self._at(weight, "high"))

    def _at(self, weight: Floats, which: str) -> Floats:
        return np.interp(weight, [knot.weight for knot in self.knots], [getattr(knot, which) for knot in self.knots])

    def probability_sql(self, weight: str) -> str:
        """The same as an expression over the SQL expression `weight`."""
        first, last = self.knots[0], self.knots[-1]
        cases = [f"WHEN {weight} <= {first.weight!r} THEN {first.odds!r}"]
        for low, high in zip(self.knots, self.knots[1:], strict=False):
            slope = (high.odds - low.odds) / (high.weight - low.weight)
            cases.append(
                f"WHEN {weight} < {high.weight!r} THEN {low.odds!r} + ({weight} - ({low.weight!r})) * {slope!r}"
            )
        return f"1 / (1 + pow(2, -(CASE {' '.join(cases)} ELSE {last.odds!r} END)))"

    def as_dict(self) -> dict[str, Any]:
        """For a model file; `of` reads it back."""
        knots = [[round(value, 4) for value in (k.weight, k.odds, k.low, k.high)] for k in self.knots]
        return {
            "knots": knots,
            "source": self.source,
            "here": self.here,
            "labels": self.labels,
            "effective": round(self.effective, 1),
            "model": self.model,
        }

    @staticmethod
    def of(read: dict[str, Any]) -> "Calibration":
        knots = tuple(Knot(*values) for values in read["knots"])
        return Calibration(
            knots, read["source"], read["here"], read["labels"], read["effective"], read.get("model", "")
        )


def face_value() -> Calibration:
    """Weights taken at their word: log2 odds. For a model that nobody has calibrated."""
    ends = [Knot(w, w, w - policy.UNCALIBRATED_BITS, w + policy.UNCALIBRATED_BITS) for w in (-50.0, 50.0)]
    return Calibration(tuple(ends), "not calibrated: weights taken at face value", False, 0, 0.0)


def calibrate(
    con: duckdb.DuckDBPyConnection, edges: str, labels: str, source: str, prior: Calibration | None = None
) -> Calibration:
    """Fit to `labels` (record_l, record_r in either order, same BOOLEAN, inclusion_probability; NULL counts as 1).

    They are drawn at random from `edges` (record_l, record_r, match_weight). Labels of pairs that were never compared
    have no weight to learn from and are left out.

    Raises TooFewLabels.
    """
    found = con.execute(
        f"""-- one row per labelled pair that was compared, in the order of its records
        SELECT e.match_weight AS weight, l.same::INTEGER AS same,
            1 / coalesce(l.inclusion_probability, 1) AS counts
        FROM (SELECT least(record_l, record_r) AS a, greatest(record_l, record_r) AS b, same, inclusion_probability
              FROM {labels}) l
        JOIN {edges} e ON least(e.record_l, e.record_r) = l.a AND greatest(e.record_l, e.record_r) = l.b
        ORDER BY l.a, l.b"""
    ).fetchnumpy()
    weight, same, counts = (np.asarray(found[name], dtype=np.float64) for name in ("weight", "same", "counts"))
    return fit(weight, same, counts, source=source, here=True, prior=prior)


def fit(
    weight: Floats,
    same: Floats,
    counts: Floats | None = None,
    *,
    source: str,
    here: bool,
    prior: Calibration | None = None,
) -> Calibration:
    """The curve through labelled pairs: their weights, 1 for one person and 0 for two, how many pairs each stands for.

    `counts` are all 1 if not given. `prior` is what was believed before; without it, weights at face value. Raises
    TooFewLabels.
    """
    counts = np.ones_like(weight) if counts is None else counts
    yes = int(same.sum())
    if len(same) < policy.LEAST_LABELS or min(yes, len(same) - yes) < policy.LEAST_LABELS_OF_A_KIND:
        raise TooFewLabels(
            f"{len(same)} labelled pairs were compared here, {yes} of one person and {len(same) - yes} of two; a "
            f"calibration takes {policy.LEAST_LABELS}, at least {policy.LEAST_LABELS_OF_A_KIND} of either kind: draw a "
            "larger sample"
        )
    order = np.lexsort((same, counts, weight))
    weight, same, counts = weight[order], same[order], counts[order]
    believed = (prior or face_value())._at(weight, "odds") * LN2
    effective = float(counts.sum() ** 2 / np.square(counts).sum())
    intercept, slope = _recalibrate(believed, same, counts * effective / counts.sum())
    expected = np.clip(expit(intercept + slope * believed), LEAST_SHARE, 1 - LEAST_SHARE)
    bins = _bins(weight, expected)
    mass = np.bincount(bins, counts)
    worth = mass**2 / np.bincount(bins, np.square(counts))
    middle = np.bincount(bins, counts * weight) / mass
    drawn_to = np.bincount(bins, counts * expected) / mass
    pull = policy.CALIBRATION_PULL
    yes_worth = worth * np.bincount(bins, counts * same) / mass + pull * drawn_to
    found = isotonic_regression(yes_worth / (worth + pull), weights=worth + pull)
    # bins that isotonic regression has pooled share their labels, so also their interval
    block = np.repeat(np.arange(len(found.blocks) - 1), np.diff(found.blocks))
    pooled_yes, pooled = np.bincount(block, yes_worth)[block], np.bincount(block, worth + pull)[block]
    tail = (1 - policy.INTERVAL_LEVEL) / 2
    ends = [betaincinv(pooled_yes, pooled - pooled_yes, at) for at in (tail, 1 - tail)]
    # few labels make few bins: between these the line keeps its shape, the bins only shift it
    grid = np.unique(np.concatenate([middle, [knot.weight for knot in prior.knots] if prior else []]))
    line = (intercept + slope * (prior or face_value())._at(grid, "odds") * LN2) / LN2
    shifts = [np.interp(grid, middle, _odds(share) - _odds(drawn_to)) for share in (found.x, *ends)]
    odds, low, high = (np.asarray(isotonic_regression(line + shift).x) for shift in shifts)
    knots = zip(grid, odds, np.minimum(low, odds), np.maximum(high, odds), strict=True)
    return Calibration(tuple(Knot(*map(float, knot)) for knot in knots), source, here, len(same), effective)


def _recalibrate(believed: Floats, same: Floats, counts: Floats) -> tuple[float, float]:
    """Intercept and slope of a logistic regression on the believed log odds, by Newton's method, shrunk to 0 and 1."""
    centre = np.array([0.0, 1.0])
    precision = np.diag([policy.INTERCEPT_SD**-2, policy.SLOPE_SD**-2])
    design = np.stack([np.ones_like(believed), believed], axis=1)

    def loss(at: Floats) -> float:
        line = design @ at
        away = at - centre
        return float((counts * (np.logaddexp(0, line) - same * line)).sum() + away @ precision @ away / 2)

    at = centre.copy()
    for _ in range(100):
        share = expit(design @ at)
        gradient = design.T @ (counts * (same - share)) - precision @ (at - centre)
        curvature = (design * (counts * share * (1 - share))[:, None]).T @ design + precision
        step = np.linalg.solve(curvature, gradient)
        # the loss is convex: a step that overshoots is halved until it leads downhill
        while loss(at + step) > loss(at) and np.abs(step).max() > 1e-9:
            step = step / 2
        at = at + step
        if np.abs(step).max() < 1e-9:
            break
    return float(at[0]), max(float(at[1]), 0.0)


def _bins(weight: Floats, expected: Floats) -> NDArray[np.int64]:
    """A bin number for each pair (weights in rising order): many bins where the answer is open, few where it is plain,
    pairs of one weight together, never fewer than LABELS_PER_BIN labels."""
    most = int(np.clip(len(weight) // policy.LABELS_PER_BIN, 1, policy.MOST_BINS))
    spread = np.cumsum(np.sqrt(expected * (1 - expected)) + 0.01)
    wanted = np.minimum((spread / spread[-1] * most).astype(np.int64), most - 1)
    first = np.concatenate([[0], np.flatnonzero(np.diff(weight)) + 1])
    bins, current, size, wish = np.empty(len(weight), dtype=np.int64), 0, 0, wanted[0]
    for start, end in zip(first, np.append(first[1:], len(weight)), strict=True):
        if wanted[start] != wish and size >= policy.LABELS_PER_BIN and len(weight) - start >= policy.LABELS_PER_BIN:
            current, size, wish = current + 1, 0, wanted[start]
        bins[start:end] = current
        size += end - start
    return bins


def _share(odds: Floats) -> Floats:
    return np.asarray(expit(odds * LN2), dtype=np.float64)


def _odds(share: Floats) -> Floats:
    share = np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE)
    return np.asarray(np.log2(share / (1 - share)), dtype=np.float64)


@dataclass(frozen=True)
class Thresholds:
    """Match weights: at or above `link` a pair is linked on its own evidence, from `review` on it goes to review, below
    it is rejected. `expected` is the precision that the calibration expects of the pairs at or above `link`."""

    link: float
    review: float
    target: float
    expected: float


def thresholds(calibration: Calibration, weight: Floats, target: float = policy.TARGET_PRECISION) -> Thresholds:
    """The least weight, not below LINK_WEIGHT, from which pairs of these weights are expected to reach `target`.

    Review begins at the weight at which REVIEW_PROBABILITY of the pairs are of one person.
    """
    ordered = np.sort(np.asarray(weight, dtype=np.float64))
    shares = calibration.probability(ordered)
    counts = np.arange(len(ordered), 0, -1)
    above = np.cumsum(shares[::-1])[::-1] / counts
    good = np.flatnonzero((above >= target) & (ordered >= policy.LINK_WEIGHT))
    if len(good):
        # the floor itself where all above it is good enough, so that a pair more or less doesn't move the threshold
        at = good[0]
        reached = at == 0 or ordered[at - 1] < policy.LINK_WEIGHT
        link, expected = (policy.LINK_WEIGHT if reached else float(ordered[at])), float(above[at])
    else:
        link, expected = policy.NOTHING_LINKS, 1.0
    odds = np.log2(policy.REVIEW_PROBABILITY / (1 - policy.REVIEW_PROBABILITY))
    knots, values = ([getattr(k, name) for k in calibration.knots] for name in ("weight", "odds"))
    review = float(np.interp(odds, values, knots)) if values[0] < odds < values[-1] else knots[0]
    return Thresholds(round(link, 2), round(min(review, link), 2), target, expected)


def reliability(calibration: Calibration, weight: Floats, same: Floats, bins: int = 15) -> pl.DataFrame:
    """Bins of equal mass by weight: pairs, from (weight), said (mean probability), true (share the same), error."""
    parts = [part for part in np.array_split(np.argsort(weight, kind="stable"), bins) if len(part)]
    said, true = ([float(values[part].mean()) for part in parts] for values in (calibration.probability(weight), same))
    from_ = [float(weight[part[0]]) for part in parts]
    return pl.DataFrame(
        {"pairs": [len(part) for part in parts], "from": from_, "said": said, "true": true}
    ).with_columns((pl.col("said") - pl.col("true")).abs().alias("error"))


def calibration_error(bins: pl.DataFrame) -> float:
    """Mean distance between what `reliability` says and what is true, bins weighted by their pairs (expected
    calibration error: Naeini and others, AAAI 2015)."""
    return float((bins["error"] * bins["pairs"]).sum() / max(int(bins["pairs"].sum()), 1))
