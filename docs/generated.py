"""Writes what the docs say by machine: flow, fact tables, sources, commands. Run it: python docs/generated.py

A test compares its output with the files, so neither can drift from the code.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from boroughlink.cli import cli
from pipelines.reporting.flow import Band, Flow, Station, wide
from pipelines.settings import SHIPPED_SOURCES
from pipelines.sources.contract_files import load_contracts
from pipelines.sources.contracts import Column as SourceColumn
from pipelines.sources.contracts import Contract, Table
from pipelines.sources.facts import FACTS, PROVENANCE, Column

DOCS = Path(__file__).parent
BEGIN, END = "<!-- fact tables: written by docs/generated.py -->", "<!-- end of fact tables -->"
STYLE = (Path(__file__).parent / "flow.css").read_text(encoding="utf-8")

EVERYWHERE = {"data", "sources", "as_json"}  # options that mean the same in every command that takes them
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


def command_pages() -> str:
    """Every command with its words and options, in Markdown."""
    shared = {option.name: _option(option) for option in _options(_all(cli)) if option.name in EVERYWHERE}
    head = (
        "# Commands\n\nWhat `boroughlink COMMAND --help` says, on one page. Exit code 0 is fine, 1 means that the "
        "data or the checks say\nno, 2 is wrong use. Where a command takes one of these options, it means the same:"
    )
    head += "\n\n" + _table(shared.values())
    return "\n\n".join([head, *_commands(cli, "boroughlink", 2)]) + "\n"


def _commands(group: click.Group, before: str, level: int) -> list[str]:
    parts = []
    for name, command in sorted(group.commands.items()):
        called = f"{before} {name}"
        arguments = [p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)]
        parts += [f"{'#' * level} `{' '.join([called, *arguments])}`", " ".join((command.help or "").split())]
        own = [_option(option) for option in _options([command]) if option.name not in EVERYWHERE]
        parts += [_table(own)] if own else []
        if isinstance(command, click.Group):
            parts += _commands(command, called, level + 1)
    return parts


def _all(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from _all(command)


def _options(commands: Iterable[click.Command]) -> list[click.Option]:
    return [p for command in commands for p in command.params if isinstance(p, click.Option) and not p.hidden]


def _table(rows: Iterable[str]) -> str:
    return "\n".join(["| option | means |", "|---|---|", *rows])


def _option(option: click.Option) -> str:
    """A row of the table: the option as it is written, what it means, its default."""
    takes = "" if option.is_flag else f" {option.make_metavar(click.Context(click.Command('x')))}"
    notes = ["needed"] if option.required else []
    if option.show_default and option.default is not None and not option.is_flag:
        notes += [f"default {option.default}"]
    means = _cell(option.help) + (f" ({'; '.join(notes)})" if notes else "")
    return f"| `{_cell(option.opts[0] + takes)}` | {means.strip()} |"


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
    (DOCS / "commands.md").write_text(command_pages(), encoding="utf-8")
    contracts = load_contracts(SHIPPED_SOURCES)
    for page in sorted((DOCS / "sources").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        before, rest = text.split(COLUMNS)
        columns = source_columns(contracts[page.stem])
        page.write_text(before + columns + rest.split(COLUMNS_END)[1], encoding="utf-8")


if __name__ == "__main__":
    write()
