"""Writes what the docs say by machine: the picture of the flow and the fact tables. Run it: python docs/generated.py

A test compares its output with the files, so neither can drift from the code.
"""

from pathlib import Path

from pipelines.reporting.flow import Band, Flow, Station, wide
from pipelines.sources.facts import FACTS, PROVENANCE, Column

DOCS = Path(__file__).parent
BEGIN, END = "<!-- fact tables: written by docs/generated.py -->", "<!-- end of fact tables -->"
STYLE = (Path(__file__).parent / "flow.css").read_text(encoding="utf-8")

FLOW = Flow(
    sources=(
        Band("Address gazetteer", 6, "every property, its UPRN"),
        Band("Council tax", 6, "who is liable, discounts"),
        Band("Electoral register", 3, "who is registered to vote"),
        Band("Benefits", 3, "claims and households"),
        Band("Housing", 2, "tenancies and households"),
        Band("Adult social care", 1.5, "care events"),
        Band("Deaths", 1, "registered deaths"),
    ),
    gate="six principles",
    facts=Station("Facts", f"{len(FACTS)} tables", "one shape for every source"),
    places=Station("Places", "UPRN", "of every address"),
    people=Station("People", "one id", "for all records of a person"),
    readers=(
        Station("Fraud team", "Flagged pairs", "worth an officer's look"),
        Station("Risk stratification", "Tiers", "by pseudonym, with reasons"),
        Station("Integrated data team", "Review queue", "links that a person decides"),
    ),
)


def flow_svg() -> str:
    """The picture of the flow as a file of its own."""
    drawing = str(wide(FLOW))
    head = drawing.index("<title")
    return drawing[:head] + f"<style>{STYLE}</style>" + drawing[head:] + "\n"


def fact_tables() -> str:
    """Every fact table with its grain and columns, in Markdown."""
    parts = [BEGIN]
    for table in FACTS.values():
        parts += [f"### `{table.name}`", f"One row is {table.grain}.", _columns(table.columns)]
    parts += [
        "### On every row",
        "So that any figure can be traced to an extract and a run.",
        _columns(PROVENANCE),
        END,
    ]
    return "\n\n".join(parts)


def _columns(columns: tuple[Column, ...]) -> str:
    rows = [f"| `{column.name}` | {column.type} | {column.meaning} |" for column in columns]
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])


def write() -> None:
    (DOCS / "flow.svg").write_text(flow_svg(), encoding="utf-8")
    page = DOCS / "data.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    page.write_text(before + fact_tables() + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    write()
