"""The `boroughlink` command. Heavy rooms are imported only by the command that needs them."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from pipelines.custody.commands import audit, keys, reid, requests, scan
from pipelines.faults import BoroughlinkError, Refusal
from pipelines.options import AS_OF, DATA, JSON, WHY, folder, named, show

DEMO_PEOPLE, DEMO_SEED, DEMO_DATE = 180_688, 2026, "2026-10-31"
MONTHS = click.option(
    "--months", default=1, show_default=True, type=click.IntRange(1, 60), help="Monthly deliveries, up to the last day."
)
SOURCES = click.option("--sources", help="Folder of source contracts that replaces the shipped set.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="boroughlink")
@click.option(
    "--debug", is_flag=True, help="Show where a fault happened. Only for invented data: texts may quote values."
)
def cli(debug: bool) -> None:
    """From landed extracts to a linked borough: people, households and homes across systems that don't know
    each other."""
    os.umask(0o077)
    if debug:
        os.environ["BOROUGHLINK_DEBUG"] = "1"


@cli.command()
@click.option("--out", default="boroughlink-demo", show_default=True, help="Folder for the demonstration.")
@click.option("--people", default=DEMO_PEOPLE, show_default=True, type=click.IntRange(500, 2_000_000))
@click.option("--seed", default=DEMO_SEED, show_default=True, type=click.IntRange(0))
@click.option("--profile", default="central", show_default=True, type=click.Choice(["mild", "central", "harsh"]))
@MONTHS
def demo(out: str, people: int, seed: int, profile: str, months: int) -> None:
    """Make a borough that never existed, land its extracts, run everything, say what came out."""
    from pipelines.demonstration import demonstrate

    demonstrate(Path(out).expanduser().resolve(), people, seed, profile, months)


@cli.command()
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
    from pipelines.demonstration import answer_labels, synthesise

    if labels:
        click.echo(answer_labels(Path(out).expanduser().resolve(), Path(labels).expanduser().resolve()))
        return
    synthesise(Path(out).expanduser().resolve(), people, seed, profile, on.date(), months, layout)


@cli.command()
@DATA
@click.option("--landing", help="Where deliveries lie; without it the data folder's own landing/.")
@SOURCES
@click.option("--select", help="Only these assets, for instance 'group:fraud' or '+key:places/address_uprn'.")
@click.option("--force", is_flag=True, help="Run even if nothing has changed since the last run.")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Reconstruct a past day, beside what is published today."
)
@click.option("--monthly", is_flag=True, help="One run for each month that waits, oldest first, as if run then.")
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
    by: str | None,
    preview: bool,
    threshold: float | None,
    changed: tuple[str, ...],
    as_json: bool,
) -> None:
    """Take in what has landed and bring everything up to date."""
    if as_of:
        if landing or select or force or preview or monthly:
            raise click.UsageError("--as-of goes with --data and --sources alone: it takes nothing in.")
        from pipelines.reconstruction import reconstruct

        click.echo(reconstruct(folder(data), as_of.date(), sources))
        return
    if preview and monthly:
        raise click.UsageError("A preview is of one run: leave --monthly out.")
    if not preview:
        if threshold is not None or changed or as_json:
            raise click.UsageError("--threshold, --set and --json go with --preview.")
        from pipelines.running import run_and_report

        raise SystemExit(run_and_report(data, landing, sources, select, force, monthly, by))
    if select:
        raise click.UsageError("A preview runs everything: leave --select out.")
    from pipelines.preview import parsed
    from pipelines.preview import preview as previewed
    from pipelines.reading import told

    settings = parsed(changed) | ({} if threshold is None else {"cluster_stop": str(threshold)})
    show(told(previewed(folder(data), landing, sources, settings, quiet=as_json)), as_json)


@cli.command()
@DATA
@click.argument("before", required=False)
@click.argument("after", required=False)
@JSON
def diff(data: str, before: str | None, after: str | None, as_json: bool) -> None:
    """What differs between two published runs: persons, decisions, flagged pairs, tiers. Without names, the last two;
    with one, from that run to the newest."""
    from pipelines.reading import difference_of

    show(difference_of(folder(data), before, after), as_json)


@cli.command()
@DATA
@click.option("--landing", help="Where deliveries lie; without it the data folder's own landing/.")
@SOURCES
@click.option("--port", default=3333, show_default=True, type=click.IntRange(1024, 65535))
def dev(data: str, landing: str | None, sources: str | None, port: int) -> None:
    """Open Dagster's pages on loopback over a data folder."""
    from pipelines.definitions import Place, dagster_home

    place = Place.of(data, landing, sources)
    dagster_home(place.folder)
    os.environ["BOROUGHLINK_DATA"] = str(place.folder.root)
    if landing:
        os.environ["BOROUGHLINK_LANDING"] = str(place.landing)
    if sources:
        os.environ["BOROUGHLINK_SOURCES"] = str(place.sources)
    os.chdir(place.folder.dagster)
    click.echo(f"Asset graph:     http://127.0.0.1:{port}/asset-groups   (in some seconds; stop with Ctrl-C)")
    click.echo(f"Data folder:     {place.folder.root}")
    dagster = str(Path(sys.executable).parent / "dagster")
    arguments = [dagster, "dev", "-m", "pipelines.definitions", "-h", "127.0.0.1", "-p", str(port)]
    os.execv(dagster, arguments)  # noqa: S606 - hands this very process over, no shell


@cli.command()
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

    known = local_users(users, roles)
    click.echo(f"Review app:      http{'s' if certificate else ''}://{host}:{port}   (stop with Ctrl-C)")
    serve(
        folder(data),
        host,
        port,
        known,
        Path(certificate) if certificate else None,
        Path(certificate_key) if certificate_key else None,
        behind_proxy,
    )


@cli.command()
@DATA
@AS_OF
@JSON
def status(data: str, as_json: bool) -> None:
    """What is published, what waits in the landing folder, whether a run is under way, the last runs."""
    from pipelines.reading import status_of

    show(status_of(folder(data)), as_json)


@cli.command()
@DATA
@JSON
def doctor(data: str, as_json: bool) -> None:
    """Prove each protection of a data folder by probing it, and say where its keys came from."""
    from pipelines.doctor import examine

    findings = examine(folder(data))
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.fine else 'BAD '} {finding.what}: {finding.said}")
    raise SystemExit(0 if all(finding.fine for finding in findings) else 1)


@cli.group(invoke_without_command=True)
@DATA
@SOURCES
@JSON
@click.pass_context
def sources(context: click.Context, data: str, sources: str | None, as_json: bool) -> None:
    """The sources; without a further word, as `sources list`."""
    if context.invoked_subcommand is None:
        from pipelines.stewardship import listed

        show(listed(folder(data), sources), as_json)


@sources.command("list")
@DATA
@SOURCES
@JSON
def sources_list(data: str, sources: str | None, as_json: bool) -> None:
    """Each source: level, owner, what it serves and on what basis, refresh promise, retention, rows, last load."""
    from pipelines.stewardship import listed

    show(listed(folder(data), sources), as_json)


@sources.command("new")
@click.argument("name")
@click.argument("file", type=click.Path())
@click.option(
    "--out", required=True, help="A folder of source contracts; the draft becomes <out>/<name>/contract.yaml."
)
def sources_new(name: str, file: str, out: str) -> None:
    """Draft a contract from a sample file: types, keys, likely personal columns. Says what a person must fill in."""
    from pipelines.drafting import draft

    click.echo(draft(name, Path(file), Path(out)))


@sources.command("check")
@DATA
@click.argument("name")
@SOURCES
@click.option("--landing", help="Where deliveries lie; without it where the data folder's do.")
@JSON
def sources_check(data: str, name: str, sources: str | None, landing: str | None, as_json: bool) -> None:
    """Prove a contract: load it, take its newest delivery in on trial, build its facts, list what is missing."""
    from pipelines.drafting import check

    fine, answer = check(folder(data), name, sources, landing)
    show(answer, as_json)
    raise SystemExit(0 if fine else 1)


@sources.command("drift")
@DATA
@click.argument("name")
@SOURCES
@JSON
def sources_drift(data: str, name: str, sources: str | None, as_json: bool) -> None:
    """How the columns of the extracts that came differ from the contract's."""
    from pipelines.stewardship import drift_of

    show(drift_of(folder(data), name, sources), as_json)


@sources.command("report")
@DATA
@click.argument("name")
@click.option("--out", required=True, help="A .csv or .xlsx file.")
@SOURCES
def sources_report(data: str, name: str, out: str, sources: str | None) -> None:
    """Write what was wrong with a source's extracts, for its system's owner: places and words, no personal value."""
    from pipelines.stewardship import write_report

    click.echo(write_report(folder(data), name, Path(out), sources))


@cli.command()
@DATA
@click.option("--apply", is_flag=True, help="Remove it; without this, only say what is due.")
@SOURCES
@JSON
def retention(data: str, apply: bool, sources: str | None, as_json: bool) -> None:
    """What has outlived the retention that its contract states: in history, quarantine, archive and past days."""
    from pipelines.sweeping import retention_of

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
    from pipelines.stewardship import quarantine_of, write_quarantine

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
    from pipelines.stewardship import release_rows

    click.echo(release_rows(folder(data), name, Path(file), sources))


@cli.group(invoke_without_command=True)
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
    from pipelines.owners import page_of, readiness_of
    from pipelines.reading import quality_of

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
    from pipelines.owners import write_scorecard

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
    from pipelines.owners import write_rows

    click.echo(write_rows(folder(data), source, what, Path(out), sources))


@cli.group(invoke_without_command=True)
@DATA
@SOURCES
@JSON
@click.pass_context
def purposes(context: click.Context, data: str, sources: str | None, as_json: bool) -> None:
    """The purposes, and which sources may serve each today."""
    if context.invoked_subcommand is None:
        from pipelines.reading import purposes_of

        show(purposes_of(folder(data), sources), as_json)


@purposes.command("show")
@DATA
@click.argument("purpose")
@SOURCES
@JSON
def purposes_show(data: str, purpose: str, sources: str | None, as_json: bool) -> None:
    """One purpose: the basis of each source, what is missing for the others, how each column passes."""
    from pipelines.reading import purpose_of

    show(purpose_of(folder(data), purpose, sources), as_json)


@cli.command()
@DATA
@AS_OF
@click.argument("left", metavar="RECORD|PERSON")
@click.argument("right", metavar="[RECORD]", required=False)
@WHY
@SOURCES
@JSON
def explain(data: str, left: str, right: str | None, purpose: str, sources: str | None, as_json: bool) -> None:
    """Why two records were linked or not, in words and numbers; with one person id, what holds that person together."""
    from pipelines.reading import explanation_of

    show(explanation_of(folder(data), left, right, purpose, sources), as_json)


@cli.command()
@DATA
@AS_OF
@click.argument("identifier", metavar="ID")
@click.option("--view", help="Only if it is an id of this purpose view.")
@WHY
@JSON
def resolve(data: str, identifier: str, view: str | None, purpose: str, as_json: bool) -> None:
    """What became of a person or household id: the ids that hold its records today, since when, through what."""
    from pipelines.reading import lineage_of

    show(lineage_of(folder(data), identifier, view, purpose), as_json)


@cli.command()
@DATA
@AS_OF
@click.option(
    "--truth", help="The truth/ folder that synth wrote, or a CSV (source, source_key, person); without it, estimates."
)
@click.option("--yardsticks", is_flag=True, help="Train stock Splink on the same records too: seconds to minutes.")
@JSON
def evaluate(data: str, truth: str | None, yardsticks: bool, as_json: bool) -> None:
    """Hold the published links, addresses and flagged pairs against the truth of an invented borough, by group and
    cause, or the links against a list of who is who; where there is no truth, estimate precision and recall."""
    from pipelines.reading import evaluation_of

    show(evaluation_of(folder(data), Path(truth) if truth else None, yardsticks), as_json)


@cli.command()
@DATA
@click.option("--name", help="What to call the model; without it, by its date.")
@click.option("--labels", help="A label sample that reviewers answered: fit the run's model's probabilities to it.")
@SOURCES
@JSON
def train(data: str, name: str | None, labels: str | None, sources: str | None, as_json: bool) -> None:
    """Train a person model on the published records and keep it, dated, with its card; or, with --labels, keep the
    parameters of the published run's model and calibrate it here."""
    from pipelines.modelling.training import train_model

    show(train_model(folder(data), name, Path(labels) if labels else None, sources), as_json)


@cli.group(invoke_without_command=True)
@DATA
@SOURCES
@JSON
@click.pass_context
def models(context: click.Context, data: str, sources: str | None, as_json: bool) -> None:
    """The person models at hand: what each was trained on, whether it is calibrated here, pinned, and fits."""
    if context.invoked_subcommand is None:
        from pipelines.modelling.listing import models_of

        show(models_of(folder(data), sources), as_json)


@models.command("compare")
@DATA
@click.argument("one", metavar="MODEL")
@click.argument("other", metavar="MODEL")
@SOURCES
@JSON
def models_compare(data: str, one: str, other: str, sources: str | None, as_json: bool) -> None:
    """Score the published records with two models: parameters, pairs that cross a threshold, persons that would merge
    or split. Changes nothing."""
    from pipelines.modelling.comparing import compare_models

    show(compare_models(folder(data), one, other, sources), as_json)


@models.command("card")
@DATA
@click.argument("name", metavar="MODEL")
@JSON
def models_card(data: str, name: str, as_json: bool) -> None:
    """The card of a model: origin, training, certainty, weak groups, parameters, limits."""
    from pipelines.modelling.listing import card_of

    text, facts = card_of(folder(data), name)
    click.echo(json.dumps(facts, indent=1, default=str) if as_json else text, nl=as_json)


@cli.group()
def export() -> None:
    """Write files that leave: stamped with purpose, run and expiry, and noted in the audit."""


@export.command("clusters")
@DATA
@AS_OF
@click.option("--out", required=True, help="A .csv file.")
@click.option("--view", type=click.Choice(["data_quality", "fraud", "risk"]), help="In the place of the purpose's.")
@WHY
def export_clusters(data: str, out: str, view: str | None, purpose: str) -> None:
    """record_id, source, source_key, person_id of every record."""
    from pipelines.reading import write_clusters

    click.echo(write_clusters(folder(data), Path(out), purpose, view))


@export.command("label-sample")
@DATA
@click.option("--out", required=True, help="A .csv file.")
@click.option("--pairs", default=1000, show_default=True, type=click.IntRange(100, 100_000), help="About so many.")
@click.option("--view", type=click.Choice(["data_quality", "fraud", "risk"]), help="In the place of the purpose's.")
@WHY
def export_label_sample(data: str, out: str, pairs: int, view: str | None, purpose: str) -> None:
    """A random sample of compared pairs for reviewers to label (`same`: yes or no), to calibrate by."""
    from pipelines.reading import write_label_sample

    click.echo(write_label_sample(folder(data), Path(out), pairs, purpose, view))


@export.command("flagged-pairs")
@DATA
@AS_OF
@click.option("--out", required=True, help="A .csv or .xlsx file.")
@click.option("--purpose", default="fraud", show_default=True, help="Why it leaves; goes into the audit.")
def export_flagged(data: str, out: str, purpose: str) -> None:
    """The flagged pairs of the published run, for the fraud team."""
    from pipelines.reading import write_flagged

    click.echo(write_flagged(folder(data), Path(out), purpose))


@cli.group()
def decisions() -> None:
    """What people decided about pairs of records."""


@decisions.command("import")
@DATA
@click.argument("file", type=click.Path())
@click.option("--by", help="Who decided; without it, who runs this.")
def decisions_import(data: str, file: str, by: str | None) -> None:
    """Take in a CSV of decisions: kind (must_link, cannot_link, unsure, label), record_l, record_r [, same,
    inclusion_probability, reason]. All or none; the next run honours them."""
    from pipelines.decisions import import_file

    click.echo(import_file(folder(data), Path(file), by))


@cli.group()
def release() -> None:
    """Data sets that leave: built, checked by attacking them, approved by another person, published, revoked."""


@release.command("list")
@DATA
@JSON
def release_list(data: str, as_json: bool) -> None:
    """Every release: its state, for whom, until when, who made and approved it, the copies that left."""
    from pipelines.releasing import releases_of

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
    from pipelines.releasing import build_release

    show(build_release(folder(data), name, recipient, series, sources), as_json)


@release.command("check")
@DATA
@click.argument("release_id", metavar="RELEASE")
@SOURCES
@JSON
def release_check(data: str, release_id: str, sources: str | None, as_json: bool) -> None:
    """Attack a built release, say what was found, and ask for its approval."""
    from pipelines.releasing import check_release

    show(check_release(folder(data), release_id, sources), as_json)


@release.command("approve")
@DATA
@click.argument("release_id", metavar="RELEASE")
def release_approve(data: str, release_id: str) -> None:
    """Consent to publishing a release that another person made."""
    from pipelines.releasing import approve_release

    click.echo(approve_release(folder(data), release_id))


@release.command("publish")
@DATA
@click.argument("release_id", metavar="RELEASE")
@click.option("--to", "key", required=True, metavar="AGE1...", help="The recipient's public age key.")
@click.option("--out", required=True, help="A .age file.")
@SOURCES
def release_publish(data: str, release_id: str, key: str, out: str, sources: str | None) -> None:
    """Write the approved release as one file that only its recipient can open."""
    from pipelines.releasing import publish_release

    click.echo(publish_release(folder(data), release_id, key, Path(out), sources))


@release.command("revoke")
@DATA
@click.argument("release_id", metavar="RELEASE")
@click.option("--reason", required=True, help="Why, in a sentence.")
def release_revoke(data: str, release_id: str, reason: str) -> None:
    """Destroy a release's keys and mark the copies that left."""
    from pipelines.releasing import revoke_release

    click.echo(revoke_release(folder(data), release_id, reason))


@cli.command()
@DATA
@click.argument("sql")
@click.option("--purpose", required=True, help="Why you ask; it must be one that may, and goes into the audit.")
@click.option(
    "--rule", default="k10", show_default=True, help="How counts are protected: opensafely, sacro, k10 and so on."
)
@click.option("--out", help="A .csv file to write the answer to as well.")
@SOURCES
@JSON
def query(data: str, sql: str, purpose: str, rule: str, out: str | None, sources: str | None, as_json: bool) -> None:
    """Ask a question of the attributes in SQL; the answer is counts, protected against disclosure."""
    from pipelines.releasing import ask_question

    show(ask_question(folder(data), sql, purpose, rule, Path(out) if out else None, sources), as_json)


@cli.command()
@DATA
@click.argument("table", required=False)
@click.option("--purpose", help="Say which tables this purpose may ask today.")
@SOURCES
@JSON
def catalogue(data: str, table: str | None, purpose: str | None, sources: str | None, as_json: bool) -> None:
    """What can be asked with `query`: tables and columns, and what each means."""
    from pipelines.releasing import catalogue_of

    show(catalogue_of(folder(data), purpose, table, sources), as_json)


@cli.group("opt-out")
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
    from pipelines.releasing import import_opt_outs

    click.echo(import_opt_outs(folder(data), Path(file), on.date()))


for command in (audit, keys, reid, requests, scan):
    cli.add_command(command)


def main() -> None:
    """Entry point: one sentence for a fault that a person can mend; exit 1, or 2 for wrong use."""
    try:
        cli(standalone_mode=False, prog_name="boroughlink")
    except click.ClickException as fault:
        fault.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. The last good state stays; run again when you like.", err=True)
        sys.exit(1)
    except BoroughlinkError as fault:
        if isinstance(fault, Refusal):
            from pipelines.custody.auditing import enter_refusal

            enter_refusal(named(), fault)
        if os.environ.get("BOROUGHLINK_DEBUG"):
            raise
        click.echo(f"boroughlink: {fault}", err=True)
        sys.exit(1)
    except OSError as fault:
        if os.environ.get("BOROUGHLINK_DEBUG"):
            raise
        where = f": {fault.filename}" if isinstance(fault.filename, str) else ""
        click.echo(f"boroughlink: {os.strerror(fault.errno or 0)}{where}. The last good state stays.", err=True)
        sys.exit(1)
    except Exception as fault:
        if os.environ.get("BOROUGHLINK_DEBUG"):
            raise
        said = f"{type(fault).__name__}, which nobody foresaw. The last good state stays."
        click.echo(f"boroughlink: {said} `boroughlink --debug ...` on invented data shows where.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
