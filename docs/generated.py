"""Writes what the docs say by machine: the flow, the fact tables, the sources. Run it: python docs/generated.py

A test compares its output with the files, so neither can drift from the code.
"""

from pathlib import Path

from pipelines.reporting.flow import Band, Flow, Station, wide
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import Column as SourceColumn
from pipelines.sources.contracts import Contract, Table
from pipelines.sources.facts import FACTS, PROVENANCE, Column

DOCS = Path(__file__).parent
BEGIN, END = "<!-- fact tables: written by docs/generated.py -->", "<!-- end of fact tables -->"
STYLE = (Path(__file__).parent / "flow.css").read_text(encoding="utf-8")

COLUMNS, COLUMNS_END = "<!-- columns: written by docs/generated.py -->", "<!-- end of columns -->"

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


def source_columns(contract: Contract) -> str:
    """What a source's contract says of its tables, its columns and what it may serve, in Markdown."""
    bases = [
        f"| {purpose} | {_cell(basis.basis)} | {_cell(basis.gateway)} | {_cell(basis.conditions)} | {basis.expires} |"
        for purpose, basis in contract.purposes.items()
    ]
    parts = [
        COLUMNS,
        "## What it may be used for",
        "\n".join(["| purpose | basis | gateway | conditions | until |", "|---|---|---|---|---|", *bases]),
        f"Owner: {contract.owner}. Kept {contract.retention_days:,} days; a new extract at least every "
        f"{contract.refresh_days} days.",
        "## Columns",
    ]
    for table in contract.tables:
        rows = [
            f"| `{column.name}` | {column.type} | {column.personal.replace('_', ' ')} | {_reason(column, table)} |"
            for column in table.columns
        ]
        heads = ["| column | type | personal | why it is asked for |", "|---|---|---|---|"]
        parts += [
            f"### `{table.file}`: {table.name}",
            f"One row is {table.grain}: {_cell(table.why)}.",
            "\n".join([*heads, *rows]),
        ]
    return "\n\n".join([*parts, COLUMNS_END])


def _reason(column: SourceColumn, table: Table) -> str:
    """Why a column is asked for, where that is not the reason of its whole table."""
    said = "" if column.why == table.why else _cell(column.why)
    return said if column.keep else "**read over, not kept**" + (f": {said}" if said else "")


def _cell(text: str | None) -> str:
    return " ".join((text or "").replace("|", "\\|").split())


def _columns(columns: tuple[Column, ...]) -> str:
    rows = [f"| `{column.name}` | {column.type} | {column.meaning} |" for column in columns]
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])


def write() -> None:
    (DOCS / "flow.svg").write_text(flow_svg(), encoding="utf-8")
    page = DOCS / "data.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    page.write_text(before + fact_tables() + rest.split(END)[1], encoding="utf-8")
    contracts = load_contracts(SHIPPED_SOURCES)
    for page in sorted((DOCS / "sources").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        before, rest = text.split(COLUMNS)
        columns = source_columns(contracts[page.stem])
        page.write_text(before + columns + rest.split(COLUMNS_END)[1], encoding="utf-8")


if __name__ == "__main__":
    write()
