"""Expectation maximisation (Fellegi-Sunter, Winkler 1988) over comparison patterns, with u held fixed.

Splink makes the pairs and their patterns; the steps are here because its own fail on a level that no match reaches, and
call themselves converged at the iteration limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linkage_models import thresholds as policy

# Matches added to every level before m is taken, so that none is ever impossible.
SMOOTHING = 0.5


class NotConverged(RuntimeError):
    """The estimates still moved at the last iteration."""


@dataclass(frozen=True)
class Learnt:
    """Expected matches by level (in the order of the levels) of each comparison, and of the session; and m by level."""

    rule: tuple[str, ...]
    iterations: int
    matches: float
    counts: dict[str, NDArray[np.float64]]
    m: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Rivals:
    """Pairs that shut one another out, since a source holds each person once: the pattern of each pair, and a number
    that it shares with the pairs of its left (right) record to the same source; -1 where that source repeats people."""

    pattern: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]

    def expected(self, odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Expected matches by pattern: a record is matched by one of its pairs to a source, or by none."""
        each = odds[self.pattern]
        against = np.ones(len(each))
        for side in (self.left, self.right):
            shared = side >= 0
            total = np.bincount(side[shared], each[shared])
            against[shared] += total[side[shared]] - each[shared]
        return np.bincount(self.pattern, each / (against + each), len(odds)).astype(np.float64)


def maximise(
    rule: tuple[str, ...],
    patterns: Mapping[str, Any],
    levels: Mapping[str, list[dict[str, Any]]],
    known: tuple[float, float] | None = None,
    most: Mapping[str, list[float]] | None = None,
    rivals: Rivals | None = None,
) -> Learnt:
    """Estimate m from `patterns` (gamma_<comparison> arrays and pairs). Raises NotConverged.

    Without `known` the pairs are all there are of one blocking rule. With it, (pairs of all records, share of matches
    among them), they are those that a set of rules found, every other pair counts as no match, and m starts from the
    levels as they stand. `most` bounds the m of each level; of `rivals` one alone can
    be a match.
    """
    pairs = np.asarray(patterns["pairs"], dtype=np.float64)
    # a level's place in its comparison; the null level has its own last place, worth nothing
    common = patterns.get("shared")
    places = {name: _places(np.asarray(patterns[f"gamma_{name}"]), len(each)) for name, each in levels.items()}
    u = {name: np.log([*(_u(level, common is not None) for level in each), 1.0]) for name, each in levels.items()}
    fixed = {name: np.array([bool(level.get("fix_m_probability")) for level in each]) for name, each in levels.items()}
    m = {name: _as_it_stands(each) if known else _first_guess(each) for name, each in levels.items()}
    every, share = known or (float(pairs.sum()), 0.5)
    share = _possible(share)
    for iteration in range(1, policy.EM_ITERATIONS + 1):
        odds = np.log(share / (1 - share)) - (0 if common is None else common * np.log(2)) + np.zeros(len(pairs))
        for name in levels:
            odds += (np.log([*m[name], 1.0]) - u[name])[places[name]]
        odds = np.exp(np.clip(odds, -500, 500))
        expected = rivals.expected(odds) if rivals else pairs * odds / (1 + odds)
        counts = {
            name: np.bincount(places[name], expected, len(levels[name]) + 1)[:-1].astype(np.float64) for name in levels
        }
        new_share = _possible(expected.sum() / every) if every else share
        moved = abs(new_share - share) / (share if known else 1.0)
        for name, count in counts.items():
            smooth = np.where(fixed[name], m[name], (count + SMOOTHING) / (count + SMOOTHING).sum())
            smooth = _bounded(smooth, most[name]) if most else smooth
            moved = max(moved, float(np.abs(smooth - m[name]).max()))
            m[name] = smooth
        share = new_share
        if moved < policy.EM_CONVERGENCE:
            return Learnt(rule, iteration, float(expected.sum()), counts, m)
    raise NotConverged(
        f"expectation maximisation did not converge in {policy.EM_ITERATIONS} iterations on {' + '.join(rule)}"
    )


def _u(level: dict[str, Any], common: bool) -> float:
    """u of a level; of one that is weighed by a term, how common that is stands in its place, pattern by pattern."""
    return 1.0 if common and level.get("tf_adjustment_column") else float(level["u_probability"])


def _possible(share: float) -> float:
    """A share of matches that evidence can still move: neither none nor all."""
    return float(min(max(share, 1e-12), 1 - 1e-6))


def _places(gamma: NDArray[np.int64], levels: int) -> NDArray[np.int64]:
    return np.where(gamma < 0, levels, levels - 1 - gamma)


def _first_guess(known: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Matches mostly agree: nine tenths on the first level, the rest spread; fixed levels as they stand."""
    guess = np.full(len(known), 0.1 / max(len(known) - 1, 1))
    guess[0] = 0.9
    return np.where(
        [bool(level.get("fix_m_probability")) for level in known], [level["m_probability"] for level in known], guess
    )


def _as_it_stands(known: list[dict[str, Any]]) -> NDArray[np.float64]:
    return np.array([level["m_probability"] for level in known])


def pairs_by_level(patterns: Mapping[str, Any], name: str, levels: int) -> list[float]:
    """Pairs at each level of a comparison, in the order of its levels."""
    places = _places(np.asarray(patterns[f"gamma_{name}"]), levels)
    counted = np.bincount(places, np.asarray(patterns["pairs"], dtype=np.float64), levels + 1)[:-1]
    return [float(each) for each in counted]


def _bounded(m: NDArray[np.float64], most: list[float]) -> NDArray[np.float64]:
    """m with no level above its bound; what is taken off goes to the others in proportion."""
    bound = np.array(most)
    over = m > bound
    if not over.any() or over.all():
        return m
    return np.where(over, bound, m * (1 - bound[over].sum()) / m[~over].sum())
