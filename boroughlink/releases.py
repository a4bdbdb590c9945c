"""The commands of purposes and of what leaves: `purposes`, `release`, `query`, `catalogue`, `opt-out`."""

from pathlib import Path
from typing import Any

import click

from boroughlink.options import DATA, JSON, SOURCES, folder, show

RELEASE_ID = click.argument("release_id", metavar="RELEASE")


@click.group(invoke_without_command=True)
@DATA
@SOURCES
@JSON
@click.pass_context
def purposes(context: click.Context, data: str, sources: str | None, as_json: bool) -> None:
    """The purposes, and which sources may serve each today."""
    if context.invoked_subcommand is None:
        from pipelines.reading.purposes import purposes_of

        show(purposes_of(folder(data), sources), as_json)


@purposes.command("show")
@DATA
@click.argument("purpose")
@SOURCES
@JSON
def purposes_show(data: str, purpose: str, sources: str | None, as_json: bool) -> None:
    """One purpose: the basis of each source, what is missing for the others, how each column passes."""
    from pipelines.reading.purposes import purpose_of

    show(purpose_of(folder(data), purpose, sources), as_json)


@click.group()
def release() -> None:
    """Data sets that leave: built, checked by attacking them, approved by another person, published, revoked."""


@release.command("list")
@DATA
@JSON
def release_list(data: str, as_json: bool) -> None:
    """Every release: its state, for whom, until when, who made and approved it, the copies that left."""
    from pipelines.outgoing.releases import releases_of

    show(releases_of(folder(data)), as_json)


@release.command("build")
@DATA
@click.argument("name", metavar="SET")
@click.option("--recipient", help="For whom, if not for whom the set says.")
@click.option("--series", help="Keep pseudonyms over the releases of this name, to one recipient.")
@SOURCES
@JSON
def release_build(
    data: str, name: str, recipient: str | None, series: str | None, sources: str | None, as_json: bool
) -> None:
    """Build a set of rows under pseudonyms of its own, made coarser until it is as safe as its profile asks."""
    from pipelines.outgoing.releases import build_release

    show(build_release(folder(data), name, recipient, series, sources), as_json)


@release.command("check")
@DATA
@RELEASE_ID
@click.option(
    "--to", "key", required=True, metavar="AGE1...", help="The recipient's public age key; it is approved too."
)
@SOURCES
@JSON
def release_check(data: str, release_id: str, key: str, sources: str | None, as_json: bool) -> None:
    """Attack a built release, say what was found, and ask for its approval."""
    from pipelines.outgoing.releases import check_release

    show(check_release(folder(data), release_id, key, sources), as_json)


@release.command("approve")
@DATA
@RELEASE_ID
def release_approve(data: str, release_id: str) -> None:
    """Consent to publishing a release that another person made, to the recipient and key that `requests show` tells."""
    from pipelines.outgoing.releases import approve_release

    click.echo(approve_release(folder(data), release_id))


@release.command("publish")
@DATA
@RELEASE_ID
@click.option("--out", required=True, help="A .age file.")
@SOURCES
def release_publish(data: str, release_id: str, out: str, sources: str | None) -> None:
    """Write the approved release as one file that only its recipient can open."""
    from pipelines.outgoing.releases import publish_release

    click.echo(publish_release(folder(data), release_id, Path(out), sources))


@release.command("revoke")
@DATA
@RELEASE_ID
@click.option("--reason", required=True, help="Why, in a sentence.")
@click.option("--series", is_flag=True, help="Take back every release of its series, and end that.")
def release_revoke(data: str, release_id: str, reason: str, series: bool) -> None:
    """Destroy a release's keys and mark the copies that left; the series it is of goes on, unless that is ended too."""
    from pipelines.outgoing.releases import revoke_release

    click.echo(revoke_release(folder(data), release_id, reason, series))


@release.command("sweep")
@DATA
def release_sweep(data: str) -> None:
    """End the releases whose day of deletion is over: keys and sealed files go. Every run does this too."""
    from pipelines.outgoing.releases import sweep_releases

    click.echo(sweep_releases(folder(data)))


@click.command()
@DATA
@click.argument("sql")
@click.option("--purpose", required=True, help="Why you ask; it must be one that may, and goes into the audit.")
@click.option("--rule", default="k10", show_default=True, help="How counts are protected: k10, opensafely or hes2018.")
@click.option("--out", help="A .csv file to write the answer to as well.")
@SOURCES
@JSON
def query(data: str, sql: str, purpose: str, rule: str, out: str | None, sources: str | None, as_json: bool) -> None:
    """Ask a question of the attributes in SQL; the answer is counts, protected against disclosure."""
    from pipelines.outgoing.releases import ask_question

    show(ask_question(folder(data), sql, purpose, rule, Path(out) if out else None, sources), as_json)


@click.command()
@DATA
@click.argument("table", required=False)
@click.option("--purpose", help="Say which tables this purpose may ask today.")
@SOURCES
@JSON
def catalogue(data: str, table: str | None, purpose: str | None, sources: str | None, as_json: bool) -> None:
    """What can be asked with `query`: tables and columns, and what each means."""
    from pipelines.outgoing.releases import catalogue_of

    show(catalogue_of(folder(data), purpose, table, sources), as_json)


@click.group("opt-out")
def opt_out() -> None:
    """The national data opt-out."""


@opt_out.command("import")
@DATA
@click.argument("file", type=click.Path())
@click.option(
    "--date", "on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day on which the numbers were checked."
)
def opt_out_import(data: str, file: str, on: Any) -> None:
    """Take in the list of those who opted out, whole; releases that must honour it leave them out."""
    from pipelines.outgoing.releases import import_opt_outs

    click.echo(import_opt_outs(folder(data), Path(file), on.date()))
