"""The commands that make and watch runs: `demo`, `synth`, `run`, `dev`, `serve`, `status`, `doctor`."""

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import click

from boroughlink.options import AS_OF, DATA, JSON, SOURCES, folder, show

DEMO_PEOPLE, DEMO_SEED, DEMO_DATE = 180_688, 2026, "2026-10-31"
MONTHS = click.option(
    "--months", default=1, show_default=True, type=click.IntRange(1, 60), help="Monthly deliveries, up to the last day."
)


@click.command()
@click.option("--out", default="boroughlink-demo", show_default=True, help="Folder for the demonstration.")
@click.option("--people", default=DEMO_PEOPLE, show_default=True, type=click.IntRange(500, 2_000_000))
@click.option("--seed", default=DEMO_SEED, show_default=True, type=click.IntRange(0))
@click.option("--profile", default="central", show_default=True, type=click.Choice(["mild", "central", "harsh"]))
@MONTHS
def demo(out: str, people: int, seed: int, profile: str, months: int) -> None:
    """Make a borough that never existed, land its extracts, run everything, say what came out."""
    from pipelines.running.demonstration import demonstrate

    demonstrate(Path(out).expanduser().resolve(), people, seed, profile, months)


@click.command()
@click.option("--out", required=True, help="Folder for landing/ and truth/.")
@click.option("--people", default=DEMO_PEOPLE, show_default=True, type=click.IntRange(500, 2_000_000))
@click.option("--seed", default=DEMO_SEED, show_default=True, type=click.IntRange(0))
@click.option("--profile", default="central", show_default=True, type=click.Choice(["mild", "central", "harsh"]))
@click.option(
    "--date", "on", default=DEMO_DATE, show_default=True, type=click.DateTime(["%Y-%m-%d"]), help="Extract date."
)
@MONTHS
@click.option("--layout", multiple=True, metavar="SOURCE=LAYOUT", help="Another layout of a source, such as llpg=dtf.")
@click.option("--labels", help="A sample that `export label-sample` drew: answer it from the truth in --out instead.")
def synth(
    out: str, people: int, seed: int, profile: str, on: Any, months: int, layout: tuple[str, ...], labels: str | None
) -> None:
    """Write the extracts of an invented borough, and the truth beside them. A seed gives the same bytes."""
    from pipelines.running.demonstration import answer_labels, synthesise

    if labels:
        click.echo(answer_labels(Path(out).expanduser().resolve(), Path(labels).expanduser().resolve()))
        return
    synthesise(Path(out).expanduser().resolve(), people, seed, profile, on.date(), months, layout)


@click.command()
@DATA
@click.option("--landing", help="Where deliveries lie; without it the data folder's own landing/.")
@SOURCES
@click.option("--select", help="Only these assets, for instance 'group:fraud' or '+key:places/address_uprn'.")
@click.option("--force", is_flag=True, help="Run even if nothing has changed since the last run.")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Reconstruct a past day, beside what is published today."
)
@click.option("--monthly", is_flag=True, help="One run for each month that waits, oldest first, as if run then.")
@click.option(
    "--holds",
    type=click.Choice(["real", "synthetic"]),
    help="Once, at the first run: whether the people are real, or invented (also: of a public record). Kept.",
)
@click.option("--on-behalf-of", "by", hidden=True, help="Who asked for the run, where the review app starts it.")
@click.option("--preview", is_flag=True, help="Publish nothing: run on copies and show what would change.")
@click.option("--threshold", type=float, help="With --preview: the weight at which groups of records stop merging.")
@click.option("--set", "changed", multiple=True, metavar="NAME=VALUE", help="With --preview: a setting to try.")
@JSON
def run(
    data: str,
    landing: str | None,
    sources: str | None,
    select: str | None,
    force: bool,
    as_of: Any,
    monthly: bool,
    holds: str | None,
    by: str | None,
    preview: bool,
    threshold: float | None,
    changed: tuple[str, ...],
    as_json: bool,
) -> None:
    """Take in what has landed and bring everything up to date."""
    place = folder(data)
    if as_of:
        if landing or select or force or preview or monthly:
            raise click.UsageError("--as-of goes with --data and --sources alone: it takes nothing in.")
        from pipelines.running.reconstruction import reconstruct

        click.echo(reconstruct(place, as_of.date(), sources))
        return
    if holds:
        from pipelines.running.job import keep_what_it_holds

        keep_what_it_holds(place, holds)
    if preview and monthly:
        raise click.UsageError("A preview is of one run: leave --monthly out.")
    if not preview:
        if threshold is not None or changed or as_json:
            raise click.UsageError("--threshold, --set and --json go with --preview.")
        from pipelines.running.job import run_and_report

        raise SystemExit(run_and_report(data, landing, sources, select, force, monthly, by))
    if select:
        raise click.UsageError("A preview runs everything: leave --select out.")
    from pipelines.reading.changes import told
    from pipelines.running.preview import parsed
    from pipelines.running.preview import preview as previewed

    settings = parsed(changed) | ({} if threshold is None else {"cluster_stop": str(threshold)})
    show(told(previewed(place, landing, sources, settings, quiet=as_json)), as_json)


@click.command()
@DATA
@click.option("--landing", help="Where deliveries lie; without it the data folder's own landing/.")
@SOURCES
@click.option("--port", default=3333, show_default=True, type=click.IntRange(1024, 65535))
def dev(data: str, landing: str | None, sources: str | None, port: int) -> None:
    """Open Dagster's pages on loopback over a data folder, for whoever has the address that is printed."""
    from pipelines.definitions import Place, dagster_home
    from pipelines.running.pages import KEY_ENV

    place = Place.of(data, landing, sources)
    if not landing:
        place.folder.standing()
    dagster_home(place.folder)
    os.environ["BOROUGHLINK_DATA"] = str(place.folder.root)
    if landing:
        os.environ["BOROUGHLINK_LANDING"] = str(place.landing)
    if sources:
        os.environ["BOROUGHLINK_SOURCES"] = str(place.sources)
    os.chdir(place.folder.dagster)
    os.environ[KEY_ENV] = key = secrets.token_urlsafe(24)
    address = f"http://127.0.0.1:{port}/asset-groups?key={key}"
    click.echo(f"Asset graph:     {address}   (in some seconds; stop with Ctrl-C)")
    click.echo(f"Data folder:     {place.folder.root}")
    hushed = (
        "ignore:Function `dev_command` is superseded"  # Dagster's word to its developers, not to who reads the pages
    )
    words = [sys.executable, "-W", hushed, "-m", "pipelines.running.pages", "-m", "pipelines.definitions"]
    os.execv(sys.executable, [*words, "-h", "127.0.0.1", "-p", str(port)])  # noqa: S606 - hands this process over


@click.command()
@DATA
@click.option("--port", default=8600, show_default=True, type=click.IntRange(1024, 65535))
@click.option("--host", default="127.0.0.1", show_default=True, help="Off this machine only with sign-in set up.")
@click.option("--user", "users", multiple=True, metavar="NAME", help="Somebody local, over invented people only.")
@click.option("--role", "roles", multiple=True, help="What the local users are: reviewer, fraud_officer, analyst, ...")
@click.option("--certificate", type=click.Path(exists=True), help="TLS certificate, PEM.")
@click.option("--certificate-key", type=click.Path(exists=True), help="Its key, PEM.")
@click.option("--behind-proxy", is_flag=True, help="A proxy on this machine speaks HTTPS to the readers.")
def serve(
    data: str,
    port: int,
    host: str,
    users: tuple[str, ...],
    roles: tuple[str, ...],
    certificate: str | None,
    certificate_key: str | None,
    behind_proxy: bool,
) -> None:
    """Serve the review app: clusters to review, flagged pairs, quality, runs, audit."""
    from review_app.serving import local_users, serve

    known, place = local_users(users, roles), folder(data).standing()
    click.echo(f"Review app:      http{'s' if certificate else ''}://{host}:{port}   (stop with Ctrl-C)")
    serve(
        place,
        host,
        port,
        known,
        Path(certificate) if certificate else None,
        Path(certificate_key) if certificate_key else None,
        behind_proxy,
    )


@click.command()
@DATA
@AS_OF
@JSON
def status(data: str, as_json: bool) -> None:
    """What is published, what waits in the landing folder, whether a run is under way, the last runs."""
    from pipelines.reading.overview import status_of

    show(status_of(folder(data)), as_json)


@click.command()
@DATA
@JSON
def doctor(data: str, as_json: bool) -> None:
    """Prove each protection of a data folder by probing it, and say where its keys came from."""
    from pipelines.custody.doctor import examine

    findings = examine(folder(data).standing())
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.fine else 'BAD '} {finding.what}: {finding.said}")
    raise SystemExit(0 if all(finding.fine for finding in findings) else 1)
