"""The page: whole, self-contained and accessible, with every part there or none."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from linkage_models.address import METHODS
from pipelines.reporting.figures import Figures, Part, collect
from pipelines.reporting.page import render
from pipelines.reporting.rows import AddressMatch
from pipelines.warehouse import scratch_warehouse
from tests.reporting.sample import figures

#: The page that stands beside the report.
BESIDE = "quality.html"
VOID = {"meta", "path", "rect", "circle", "br", "link"}


class Page(HTMLParser):
    """Elements in order, with attributes and the names of those they stand in; fails on a tag left open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.feed(html)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def all(self, *tags: str) -> Iterator[dict[str, str | None]]:
        return (attributes for tag, attributes, _ in self.found if tag in tags)


def empty() -> Figures:
    with scratch_warehouse() as wh:
        return collect(wh, {})


@pytest.fixture(params=["whole", "empty"])
def html(request: pytest.FixtureRequest) -> str:
    return render(figures() if request.param == "whole" else empty())


def test_nothing_is_fetched_and_nothing_runs(html: str) -> None:
    page = Page(html)
    assert not list(page.all("script", "link", "img", "iframe", "object", "embed"))
    assert "@import" not in html and "javascript:" not in html
    assert set(re.findall(r"https?://[^\s\"'<)]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    assert all((a["href"] or "").startswith("#") or a["href"] == BESIDE for a in page.all("a"))
    assert not [name for _, attributes, _ in page.found for name in attributes if name.startswith("on")]


def test_ids_are_unique_and_every_reference_leads_somewhere(html: str) -> None:
    page = Page(html)
    ids = [attributes["id"] for _, attributes, _ in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {name for _, a, _ in page.found for name in (a.get("aria-labelledby") or "").split()}
    linked = {(a["href"] or "")[1:] for a in page.all("a") if a["href"] != BESIDE}
    assert named | linked <= set(ids)


def test_headings_stand_in_order(html: str) -> None:
    levels = [int(tag[1]) for tag, _, _ in Page(html).found if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_landmarks_language_and_skip_link(html: str) -> None:
    page = Page(html)
    assert next(page.all("html"))["lang"] == "en-GB"
    for landmark in ("main", "header", "footer", "nav", "title"):
        assert len([1 for tag, _, inside in page.found if tag == landmark and "svg" not in inside]) == 1, landmark
    first = next(page.all("a"))
    assert (first["class"], first["href"]) == ("skip", "#main")


def test_every_picture_has_a_title_and_a_description(html: str) -> None:
    pictures = [each for each in Page(html).all("svg") if each.get("aria-hidden") != "true"]
    assert pictures or "No extract has been taken in yet" in html
    for attributes in pictures:
        assert attributes["role"] == "img"
        names = (attributes["aria-labelledby"] or "").split()
        assert len(names) == 2
        assert all(re.search(rf'id="{name}">[^<]+<', html) for name in names)


def test_tables_have_captions_and_scoped_heads_and_can_be_scrolled_by_key(html: str) -> None:
    page = Page(html)
    tables = list(page.all("table"))
    assert len(list(page.all("caption"))) == len(tables)
    assert all(head.get("scope") in {"col", "row"} for head in page.all("th"))
    regions = [a for a in page.all("div") if a.get("class") == "scroll"]
    assert len(regions) == len(tables)
    assert all(a["tabindex"] == "0" and a["role"] == "region" for a in regions)


def test_each_chart_has_its_table_beneath(html: str) -> None:
    tags = [(tag, (attributes.get("class") or "")) for tag, attributes, _ in Page(html).found]
    charts = [place for place, (tag, kind) in enumerate(tags) if tag == "svg" and kind == "chart"]
    assert charts or "No extract has been taken in yet" in html
    for place in charts:
        after = [tag for tag, _ in tags[place:]]
        table, section = after.index("table"), after.index("section") if "section" in after else len(after)
        assert table < section


def test_a_missing_part_says_so() -> None:
    text = render(replace(figures(), flagged=Part(absent="No source provides tenancies.")))
    assert "Not there in this run.</strong> No source provides tenancies." in text
    assert "No extract has been taken in" in render(empty())


def test_names_from_contracts_can_not_break_the_page() -> None:
    evil = '<script>alert("x")</script>'
    text = render(replace(figures(), titles={"housing": evil, "deaths": evil}, council=evil))
    assert "<script" not in text
    Page(text)


def test_the_figures_are_on_the_page() -> None:
    text = render(figures())
    for said in ("176,204", "1,459,772", "612", "£1,518,100", "98.6%", "A person held together by one weak link"):
        assert said in text, said
    assert "Invented data" in text
    assert "Invented data" not in render(replace(figures(), synthetic=False))


def test_dates_are_said_as_people_say_them() -> None:
    assert "1 November 2026" in render(replace(figures(), as_of=date(2026, 11, 1)))


# Pairs of text and ground as they meet on the page, and the least contrast (WCAG 2.2: 4.5 for text, 3 for graphics).
PAIRS = {
    ("#14202b", "#ffffff"): 4.5,
    ("#4a5763", "#ffffff"): 4.5,
    ("#4a5763", "#f3f6f8"): 4.5,
    ("#e4eef4", "#12364f"): 4.5,
    ("#d5e4ec", "#12364f"): 4.5,
    ("#12364f", "#ffffff"): 4.5,
    ("#0f5585", "#f3f6f8"): 4.5,
    ("#0b5f45", "#eef7f3"): 4.5,
    ("#7a4300", "#fff5e0"): 4.5,
    ("#95122a", "#fdecee"): 4.5,
    ("#14202b", "#a9cbe0"): 4.5,
    ("#14202b", "#ffd23f"): 4.5,
    ("#1f6391", "#e9edf0"): 3,
    ("#0f766e", "#e9edf0"): 3,
    ("#b85c00", "#e9edf0"): 3,
    ("#5b3f86", "#e9edf0"): 3,
}


@pytest.mark.parametrize(("pair", "least"), PAIRS.items())
def test_contrast(pair: tuple[str, str], least: float) -> None:
    light, dark = sorted(map(luminance, pair), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def test_the_colours_measured_are_those_used() -> None:
    text = render(figures()).lower().replace("#fff;", "#ffffff;")
    for pair in PAIRS:
        for colour in pair:
            assert colour in text or colour == "#a9cbe0", colour


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_wards_stand_beside_their_known_totals() -> None:
    page = render(figures())
    assert "Residents by ward beside the known population" in page
    assert all(said in page for said in ("-20.0%", "-5.6%", "131,240"))
    assert all(said in page for said in ("Residents by view beside the known population", "82.2%", "43.2%", "70%"))
    drawing = page.split('aria-labelledby="chart-wards-title')[1].split("</figure>")[0]
    assert drawing.index("Milton") < drawing.index("Thorpe"), "the farthest from its total comes first"
    # the goal is 2 of the 21.2 per cent that the half from the middle to the edge stands for
    assert '<rect class="goal" x="45.283%"' in drawing and 'cx="2.83%"' in drawing


def test_every_method_of_an_address_can_be_drawn() -> None:
    found = tuple(AddressMatch("council_tax", method, 10) for method in METHODS)
    assert "chart-addresses" in render(replace(figures(), addresses=Part(found)))
