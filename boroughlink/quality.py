"""The commands of data quality: `quality`."""

from pathlib import Path

import click

from boroughlink.options import AS_OF, DATA, JSON, SOURCES, folder, show


@click.group(invoke_without_command=True)
@DATA
@AS_OF
@click.option(
    "--readiness", is_flag=True, help="Is the data fit to be linked, whom does it serve least, what to mend first?"
)
@click.option("--page", is_flag=True, help="Print where the quality page lies: it opens offline and prints on A4.")
@JSON
@click.pass_context
def quality(context: click.Context, data: str, readiness: bool, page: bool, as_json: bool) -> None:
    """The scorecard: each source against the six principles, and what failed, in words."""
    if context.invoked_subcommand is not None:
        return
    from pipelines.reading.overview import quality_of
    from pipelines.stewardship.mending import page_of, readiness_of

    if page:
        click.echo(page_of(folder(data)))
        return
    show(readiness_of(folder(data)) if readiness else quality_of(folder(data)), as_json)


@quality.command("export")
@DATA
@click.option("--source", help="One source; without it all.")
@click.option("--out", required=True, help="A .csv or .xlsx file.")
@SOURCES
def quality_export(data: str, source: str | None, out: str, sources: str | None) -> None:
    """The scorecard and every rule that does not hold, with counts and words, for the owners of the sources."""
    from pipelines.stewardship.mending import write_scorecard

    click.echo(write_scorecard(folder(data), Path(out), source, sources))


@quality.command("rows")
@DATA
@click.argument("source")
@click.argument("what", metavar="RULE|FIELD")
@click.option("--out", required=True, help="A .csv or .xlsx file.")
@SOURCES
def quality_rows(data: str, source: str, what: str, out: str, sources: str | None) -> None:
    """The rows of SOURCE behind a failing rule, or those to fill a FIELD in (birth_date, home, ...): references that
    the owner takes to the source system, no values."""
    from pipelines.stewardship.mending import write_rows

    click.echo(write_rows(folder(data), source, what, Path(out), sources))


@quality.group("faults")
def faults() -> None:
    """Faults that people reported while they looked at records, for the owners of the sources."""


@faults.command("list")
@DATA
@click.option("--source", help="One source; without it all.")
@click.option("--all", "every", is_flag=True, help="Those that are closed too.")
@JSON
def faults_list(data: str, source: str | None, every: bool, as_json: bool) -> None:
    """The reported faults that stand; no record is named."""
    from pipelines.stewardship.reported import reported_of

    show(reported_of(folder(data), source, every), as_json)


@faults.command("show")
@DATA
@click.argument("number", type=int)
@JSON
def faults_show(data: str, number: int, as_json: bool) -> None:
    """Which record a fault is about and what was said: personal, so it is noted in the audit."""
    from pipelines.stewardship.reported import reported_fault_of

    show(reported_fault_of(folder(data), number), as_json)


@faults.command("close")
@DATA
@click.argument("number", type=int)
@click.option("--as", "became", type=click.Choice(["mended", "no_fault", "passed_on"]), required=True)
@click.option("--done", required=True, help="What was done, in words; kept sealed.")
def faults_close(data: str, number: int, became: str, done: str) -> None:
    """Note what became of a fault: mended in the source, no fault, or passed on (which leaves it standing)."""
    from pipelines.stewardship.reported import close_reported

    click.echo(close_reported(folder(data), number, became, done))
