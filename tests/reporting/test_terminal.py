"""The short report: it fits, it is plain when piped, and its seconds add up."""

import io
import re
from dataclasses import replace
from typing import Any

from rich.console import Console

from pipelines.reporting.figures import Figures, Part
from pipelines.reporting.terminal import WIDTH, report
from tests.reporting.sample import figures

PARTS = {"making the borough": 21.4, "run": 95.0, "judging against the truth": 4.0, "total": 120.9}
RATES = {"precision": 0.991, "recall": 0.912}
JUDGED: dict[str, Any] = {
    "links": {"pairs": RATES, "b_cubed": RATES, "clusters": RATES},
    "addresses": [
        {"source": None, "method": None, "precision": 0.998, "recall": 0.975},
        {"source": "housing", "method": None, "precision": 0.5, "recall": 0.5},
    ],
    "flags": [
        {
            "rule": "deceased",
            "planted": 60,
            "found": 57,
            "found_medium_or_high": 51,
            "look_alikes": 40,
            "look_alikes_medium_or_high": 3,
            "look_alikes_low": 4,
        },
    ],
}


def said(f: Figures, judged: dict[str, Any] | None = None, unchanged: bool = False) -> str:
    out = io.StringIO()
    report(f, judged, PARTS, 3_010_000_000, unchanged, Console(file=out, width=WIDTH, highlight=False))
    return out.getvalue()


def test_it_fits_and_is_plain() -> None:
    text = said(figures(), JUDGED)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\x1b" not in text


def test_the_seconds_add_up_to_the_total() -> None:
    lines = said(figures()).split("Time and memory")[1].splitlines()
    seconds = [float(found[1]) for line in lines if (found := re.search(r"\s(-?\d+\.\d)(?:\s|$)", line))]
    assert abs(sum(seconds[:-1]) - seconds[-1]) < 0.05 * len(seconds)
    assert seconds[-1] == 120.9


def test_the_truth_is_told_where_it_is_known() -> None:
    told = said(figures(), JUDGED)
    assert (
        "51, 57 of 60" in told and "3, 7 of 40" in told and "0.991" in told and "0.998" in told and "0.500" not in told
    )
    assert "Against the truth" not in said(figures()) and "Planted" not in said(figures())


def test_refusals_and_gaps_are_told_with_their_reason() -> None:
    told = said(figures())
    assert "the manifest counts 19,800 rows" in told and "no source provides the fact" in told


def test_a_run_of_nothing_is_told_in_words() -> None:
    f = figures()
    empty = Figures(f.run_id, f.as_of, f.council, False, sources=Part(absent="No extract has been taken in."))
    assert "No extract has been taken in." in said(empty)


def test_when_nothing_was_run_the_old_steps_are_not_added_up() -> None:
    told = said(replace(figures()), unchanged=True)
    assert "linkage/edges" not in told and "Run" in told
