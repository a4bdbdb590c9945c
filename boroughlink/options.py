"""What the commands share: their common options, the data folder they name, and how an answer is shown."""

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipelines.settings import DataFolder

DATA = click.option(
    "--data",
    envvar="BOROUGHLINK_DATA",
    default="boroughlink-data",
    show_default=True,
    help="The data folder: everything of one council, with its own keys and history.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
AS_OF = click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), expose_value=False, metavar="YYYY-MM-DD",
    callback=lambda ctx, _, day: ctx.meta.update(day=day.date()) if day else None,
    help="Read a past day that `run --as-of` reconstructed, in the place of today.",
)  # fmt: skip
WHY = click.option(
    "--purpose", default="data_quality", show_default=True, help="Why you look; goes into the audit before it is shown."
)
SOURCES = click.option("--sources", help="Folder of source contracts that replaces the shipped set.")


_named: list["DataFolder"] = []


def folder(data: str) -> "DataFolder":
    from pipelines.settings import DataFolder

    found = DataFolder.at(data, click.get_current_context().meta.get("day"))
    _named.append(found)
    return found


def named() -> "DataFolder | None":
    """The data folder that this process's command was about."""
    return _named[-1] if _named else None


def show(answer: Any, as_json: bool) -> None:
    """Print a reading command's answer: tables for people, JSON for scripts."""
    if as_json:
        click.echo(json.dumps(answer.plain(), indent=1, default=str))
    else:
        answer.print()
