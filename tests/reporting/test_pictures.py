"""Pictures are to scale and true to the figures."""

import re
from xml.etree import ElementTree

import pytest

from pipelines.reporting import pictures
from pipelines.reporting.charts import Bar, bar_chart
from pipelines.reporting.flow import tall, wide
from pipelines.reporting.words import per_cent, plural
from tests.reporting.sample import figures


def test_bars_are_to_scale() -> None:
    chart = bar_chart("c", "t", "d", [Bar("a", (50, 50), "100"), Bar("b", (25, 0), "25")], ("one", "two"))
    assert re.findall(r'class="bar (\w+)" x="([\d.]+)%" y="[\d.]+em" width="([\d.]+)%"', chart.svg) == [
        ("solid", "0", "50"),
        ("stripe", "50", "50"),
        ("solid", "0", "25"),
    ]
    assert chart.series == ("one", "two")


def test_a_label_is_whole_and_its_value_stands_lower_where_both_do_not_fit_one_line() -> None:
    long = "Electoral register: birth date"
    svg = bar_chart("c", "t", "d", [Bar("a", (2,), "2"), Bar(long, (1,), "19 to 39"), Bar("b", (1,), "1")]).svg
    places = dict(re.findall(r'<text [^>]*y="([\d.]+)em"[^>]*>([^<]+)</text>', svg)[2:4])
    assert list(places.values()) == [long, "19 to 39"] and len(places) == 2
    bars = [float(y) for y in re.findall(r'class="bar \w+" x="0%" y="([\d.]+)em"', svg)]
    assert float(list(places)[1]) < bars[1] and bars[2] - bars[1] == pytest.approx(3.1)


def test_a_chart_of_nothing_is_empty() -> None:
    assert "<rect" not in bar_chart("c", "t", "d", []).svg


def test_a_value_too_small_to_see_is_still_drawn() -> None:
    chart = bar_chart("c", "t", "d", [Bar("a", (1_000_000,), ""), Bar("b", (1,), "")])
    assert 'width="0.25%"' in chart.svg


@pytest.mark.parametrize("draw", [wide, tall])
def test_the_flow_is_well_formed_and_tells_every_count(draw: object) -> None:
    drawn = pictures.flow(figures())
    svg = draw(drawn)  # type: ignore[operator]
    root = ElementTree.fromstring(svg)
    text = " ".join(element.text or "" for element in root.iter())
    for source in drawn.sources:
        assert source.says in text and source.name[:20] in text
    assert "3,444" in text and "346 rows set aside" in text


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "-"), (0, 5, "0%"), (5, 5, "100%"), (9_999, 10_000, "99.9%"), (1, 100_000, "under 0.1%"), (1, 8, "12.5%")],
)
def test_per_cent_never_rounds_to_all_or_nothing(part: int, whole: int, said: str) -> None:
    assert per_cent(part, whole) == said


def test_plural() -> None:
    assert [plural(n, "row") for n in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]
