"""Expectation maximisation where a source holds each person once: of the pairs of one record one alone is a match."""

import numpy as np
import pytest

from linkage_models.maximisation import Rivals, maximise


def test_matches_of_one_record_to_a_source_share_one() -> None:
    # record 0 has two pairs of odds 3 to the other source, record 1 has one; the third pair has no rival
    rivals = Rivals(np.array([0, 0, 1]), np.array([1, 1, 2]), np.array([1, 2, 3]))
    pattern = rivals.expected(np.array([3.0, 3.0]))
    assert np.allclose(pattern, [2 * 3 / (1 + 3 + 3), 3 / 4])


def test_a_source_that_repeats_people_shuts_none_out() -> None:
    rivals = Rivals(np.array([0, 0]), np.array([-1, -1]), np.array([1, 2]))
    assert np.allclose(rivals.expected(np.array([3.0])), [2 * 3 / 4])


def test_pairs_of_one_record_are_not_counted_as_so_many_matches() -> None:
    """100 records whose one pair agrees in both columns, each with nine pairs more that agree in one alone."""
    agree, one = np.array([0]), np.array([1])
    levels = {
        name: [{"m_probability": 0.9, "u_probability": 0.05}, {"m_probability": 0.1, "u_probability": 0.95}]
        for name in ("a", "b")
    }
    counts = {"gamma_a": np.array([1, 1]), "gamma_b": np.array([1, 0]), "pairs": np.array([100, 900])}
    record = np.repeat(np.arange(100), 10)
    rivals = Rivals(np.tile(np.concatenate([agree, np.repeat(one, 9)]), 100), record, np.arange(1000))
    known = (1000.0, 0.3)
    free, bound = (maximise(("x",), counts, levels, known, None, each).matches for each in (None, rivals))
    assert bound <= 100 < free


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_neither_no_match_nor_nothing_but_matches_is_certain_beforehand(share: float) -> None:
    """Of one source that holds each person once no pair can match; of two records the one pair may be all there is."""
    levels = {"name": [{"u_probability": 0.1, "m_probability": 0.9}, {"u_probability": 0.9, "m_probability": 0.1}]}
    counts = {"pairs": np.array([4]), "gamma_name": np.array([0])}
    assert maximise(("x",), counts, levels, (4.0, share)).matches < 4
