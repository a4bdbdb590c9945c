"""The report as one static page: no script, no network, inline style and pictures, WCAG 2.2 AA."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.reporting import flow, pictures, summary, tables
from pipelines.reporting.charts import FILLS
from pipelines.reporting.figures import Figures
from pipelines.reporting.words import number, per_cent, plural, pounds, say
from pipelines.scorecard.standing import PRINCIPLES

HERE = Path(__file__).parent
CONTENTS = (
    ("flow", "The flow"),
    ("sources", "What came in"),
    ("faults", "What was set aside"),
    ("quality", "Data quality"),
    ("addresses", "Addresses"),
    ("links", "Links"),
    ("people", "People and households"),
    ("residents", "Who lives here"),
    ("coverage", "Who sees whom"),
    ("fraud", "Flagged pairs"),
    ("risk", "Risk tiers and releases"),
    ("review", "To review"),
    ("left-out", "What is not served"),
    ("time", "Time and memory"),
)


def render(figures: Figures) -> str:
    """The whole page as HTML."""
    drawn = pictures.flow(figures)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            figures=figures,
            css=Markup((HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
            contents=CONTENTS,
            lead=_lead(figures),
            tiles=_tiles(figures),
            flow_wide=flow.wide(drawn),
            flow_tall=flow.tall(drawn),
            pictures=pictures,
            fills=FILLS,
            principles=PRINCIPLES,
            say=say,
            **tables.rows(figures),
        )
    )


def _lead(figures: Figures) -> str:
    """The run in one or two sentences."""
    totals = summary.source_totals(figures)
    if not totals:
        return "No extract has been taken in yet, so there is nothing to report."
    records = sum(total.records for total in totals)
    said = f"{plural(len(totals), 'source')} with {number(records)} rows came in"
    view = summary.widest(figures)
    if view is None:
        return f"{said}. None of them holds people, so nothing was linked."
    mentions, persons, households = number(view.records), number(view.persons), number(view.households)
    return f"{said}. Their {mentions} mentions of people are {persons} persons in {households} households."


def _tiles(figures: Figures) -> list[tuple[str, str]]:
    totals = summary.source_totals(figures)
    records = sum(total.records for total in totals)
    tiles = [(number(records), f"rows from {plural(len(totals), 'source')}")] if totals else []
    aside = sum(total.set_aside for total in totals)
    if totals:
        tiles.append((number(aside), f"rows set aside ({per_cent(aside, aside + records)})"))
    if figures.addresses.rows:
        addresses = summary.address_totals(figures)
        matched, held = sum(a.matched for a in addresses), sum(a.with_address for a in addresses)
        tiles.append((per_cent(matched, held), "of addresses matched to a UPRN"))
    if view := summary.widest(figures):
        tiles += [(number(view.persons), "persons"), (number(view.households), "households today")]
    if figures.flagged.rows:
        pairs, expected = summary.flagged(figures)
        tiles.append((number(pairs), f"flagged pairs, {pounds(expected)} expected saving"))
    return tiles


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["day"] = day
    environment.filters["slug"] = slug
    return environment


def day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"


def slug(text: Any) -> str:
    return "t-" + "".join(letter if letter.isalnum() else "-" for letter in str(text).lower())
