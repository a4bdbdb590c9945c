"""The commands of those who look after sources: `sources`, `retention`."""

from pathlib import Path
from typing import Any

import click

from boroughlink.options import DATA, JSON, SOURCES, folder, show


@click.group(invoke_without_command=True)
@DATA
@SOURCES
@JSON
@click.pass_context
def sources(context: click.Context, data: str, sources: str | None, as_json: bool) -> None:
    """The sources; without a further word, as `sources list`."""
    if context.invoked_subcommand is None:
        from pipelines.stewardship.sources import listed

        show(listed(folder(data), sources), as_json)


@sources.command("list")
@DATA
@SOURCES
@JSON
def sources_list(data: str, sources: str | None, as_json: bool) -> None:
    """Each source: level, owner, what it serves and on what basis, refresh promise, retention, rows, last load."""
    from pipelines.stewardship.sources import listed

    show(listed(folder(data), sources), as_json)


@sources.command("new")
@click.argument("name")
@click.argument("file", type=click.Path())
@click.option(
    "--out", required=True, help="A folder of source contracts; the draft becomes <out>/<name>/contract.yaml."
)
@click.option("--landing", help="Put the file there too, as a delivery.")
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="With --landing: the day that its records are of, by which ages are read; else today.",
)
@click.option(
    "--holds",
    type=click.Choice(("synthetic", "real")),
    default="real",
    help="synthetic: invented or public records. Owner, law and retention are then filled in.",
)
@click.option("--each-person", type=click.Choice(("once", "many")), help="How often one person may stand in the file.")
def sources_new(
    name: str, file: str, out: str, landing: str | None, day: Any, holds: str, each_person: str | None
) -> None:
    """Draft a contract from a sample file: types, keys, likely personal columns, what each tells of a person. Says what
    must be filled in."""
    from pipelines.stewardship.drafting import draft

    if day and not landing:
        raise click.UsageError("--day goes with --landing.")
    into = Path(landing) if landing else None
    of = day.date() if day else None
    click.echo(draft(name, Path(file), Path(out), into, of, holds == "synthetic", each_person))


@sources.command("check")
@DATA
@click.argument("name")
@SOURCES
@click.option("--landing", help="Where deliveries lie; without it where the data folder's do.")
@JSON
def sources_check(data: str, name: str, sources: str | None, landing: str | None, as_json: bool) -> None:
    """Prove a contract: load it, take its newest delivery in on trial, build its facts, list what is missing."""
    from pipelines.stewardship.proving import check

    fine, answer = check(folder(data), name, sources, landing)
    show(answer, as_json)
    raise SystemExit(0 if fine else 1)


@sources.command("manifest")
@DATA
@click.argument("name")
@SOURCES
@click.option("--landing", help="Where deliveries lie; without it where the data folder's do.")
@click.option("--day", metavar="YYYY-MM-DD", help="The delivery's folder; without it the newest of the source.")
@click.option("--synthetic", is_flag=True, help="It holds invented people.")
@click.option("--changes", is_flag=True, help="It shows only what changed since the last.")
@click.option("--confirmed", is_flag=True, help="What looks odd of the whole is meant so.")
def sources_manifest(
    data: str,
    name: str,
    sources: str | None,
    landing: str | None,
    day: str | None,
    synthetic: bool,
    changes: bool,
    confirmed: bool,
) -> None:
    """Write the manifest of a delivery whose sender can't: rows, bytes and SHA-256 of its files. Best run where they
    are made: what was cut off before is not seen."""
    from pipelines.stewardship.announcing import announce

    click.echo(announce(folder(data), name, sources, landing, day, synthetic, changes, confirmed))


@sources.command("drift")
@DATA
@click.argument("name")
@SOURCES
@JSON
def sources_drift(data: str, name: str, sources: str | None, as_json: bool) -> None:
    """How the columns of the extracts that came differ from the contract's."""
    from pipelines.stewardship.sources import drift_of

    show(drift_of(folder(data), name, sources), as_json)


@sources.command("report")
@DATA
@click.argument("name")
@click.option("--out", required=True, help="A .csv or .xlsx file.")
@SOURCES
def sources_report(data: str, name: str, out: str, sources: str | None) -> None:
    """Write what was wrong with a source's extracts, for its system's owner: places and words, no personal value."""
    from pipelines.stewardship.sources import write_report

    click.echo(write_report(folder(data), name, Path(out), sources))


@click.command()
@DATA
@click.option("--apply", is_flag=True, help="Remove it; without this, only say what is due.")
@SOURCES
@JSON
def retention(data: str, apply: bool, sources: str | None, as_json: bool) -> None:
    """What has outlived the retention that its contract states: in history, quarantine, archive and past days."""
    from pipelines.stewardship.retention import retention_of

    show(retention_of(folder(data), sources, apply), as_json)


@sources.group("quarantine")
def quarantine() -> None:
    """Rows set aside: see them, mend them, release them."""


@quarantine.command("list")
@DATA
@click.argument("name", required=False)
@click.option("--out", help="With NAME: a .csv file to mend the rows in. It holds personal values.")
@SOURCES
@JSON
def quarantine_list(data: str, name: str | None, out: str | None, sources: str | None, as_json: bool) -> None:
    """Which rows wait, where they stand and what to do; without their values."""
    from pipelines.stewardship.sources import quarantine_of, write_quarantine

    if out and not name:
        raise click.UsageError("--out goes with NAME.")
    if out and name:
        click.echo(write_quarantine(folder(data), name, Path(out), sources))
    else:
        show(quarantine_of(folder(data), name, sources), as_json)


@quarantine.command("release")
@DATA
@click.argument("name")
@click.argument("file", type=click.Path())
@SOURCES
def quarantine_release(data: str, name: str, file: str, sources: str | None) -> None:
    """Put mended rows, from a file that `list --out` wrote, into the extract they came with; noted in the audit."""
    from pipelines.stewardship.sources import release_rows

    click.echo(release_rows(folder(data), name, Path(file), sources))
