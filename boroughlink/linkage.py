"""The commands about who is who: `diff`, `explain`, `resolve`, `evaluate`, `train`, `models`, `export`, `decisions`."""

import json
from pathlib import Path

import click

from boroughlink.options import AS_OF, DATA, JSON, SOURCES, WHY, folder, show


@click.command()
@DATA
@click.argument("before", required=False)
@click.argument("after", required=False)
@JSON
def diff(data: str, before: str | None, after: str | None, as_json: bool) -> None:
    """What differs between two published runs: persons, decisions, flagged pairs, tiers. Without names, the last two;
    with one, from that run to the newest."""
    from pipelines.reading.changes import difference_of

    show(difference_of(folder(data), before, after), as_json)


@click.command()
@DATA
@AS_OF
@click.argument("left", metavar="RECORD|PERSON")
@click.argument("right", metavar="[RECORD]", required=False)
@WHY
@SOURCES
@JSON
def explain(data: str, left: str, right: str | None, purpose: str, sources: str | None, as_json: bool) -> None:
    """Why two records were linked or not, in words and numbers; with one id, of a person or
    a record, what holds that person together."""
    from pipelines.reading.who_is_who import explanation_of

    show(explanation_of(folder(data), left, right, purpose, sources), as_json)


@click.command()
@DATA
@AS_OF
@click.argument("identifier", metavar="ID")
@click.option("--view", help="Only if it is an id of this purpose view.")
@WHY
@JSON
def resolve(data: str, identifier: str, view: str | None, purpose: str, as_json: bool) -> None:
    """What became of a person or household id: the ids that hold its records today, since when, through what."""
    from pipelines.reading.who_is_who import lineage_of

    show(lineage_of(folder(data), identifier, view, purpose), as_json)


@click.command()
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
    from pipelines.reading.judging import evaluation_of

    show(evaluation_of(folder(data), Path(truth) if truth else None, yardsticks), as_json)


@click.command()
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


@click.group(invoke_without_command=True)
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


@click.group()
def export() -> None:
    """Write files that leave: stamped with purpose, run and expiry, and noted in the audit."""


@export.command("clusters")
@DATA
@AS_OF
@click.option("--out", required=True, help="A .csv file.")
@click.option("--view", type=click.Choice(["data_quality", "fraud", "risk"]), help="In the place of the purpose's.")
@WHY
def export_clusters(data: str, out: str, view: str | None, purpose: str) -> None:
    """Every record of the view once: record_id, source, source_key, person_id, and how it stands: `linked` (the
    person has other records too), `alone` (none was found), `nobody` (it names no person, and person_id is empty).
    Protected people stay out."""
    from pipelines.outgoing.files import write_clusters

    click.echo(write_clusters(folder(data), Path(out), purpose, view))


@export.command("label-sample")
@DATA
@click.option("--out", required=True, help="A .csv file.")
@click.option("--pairs", default=1000, show_default=True, type=click.IntRange(100, 100_000), help="About so many.")
@click.option("--view", type=click.Choice(["data_quality", "fraud", "risk"]), help="In the place of the purpose's.")
@WHY
def export_label_sample(data: str, out: str, pairs: int, view: str | None, purpose: str) -> None:
    """A random sample of compared pairs for reviewers to label (`same`: yes or no), to calibrate by."""
    from pipelines.outgoing.files import write_label_sample

    click.echo(write_label_sample(folder(data), Path(out), pairs, purpose, view))


@export.command("flagged-pairs")
@DATA
@AS_OF
@click.option("--out", required=True, help="A .csv or .xlsx file.")
@click.option("--purpose", default="fraud", show_default=True, help="Why it leaves; goes into the audit.")
def export_flagged(data: str, out: str, purpose: str) -> None:
    """The flagged pairs of the published run, for the fraud team."""
    from pipelines.outgoing.files import write_flagged

    click.echo(write_flagged(folder(data), Path(out), purpose))


@click.group()
def decisions() -> None:
    """What people decided about pairs of records."""


@decisions.command("import")
@DATA
@click.argument("file", type=click.Path())
@click.option("--by", help="Who decided; without it, who runs this.")
def decisions_import(data: str, file: str, by: str | None) -> None:
    """Take in a CSV of decisions: kind (must_link, cannot_link, unsure, label), record_l, record_r [, same,
    inclusion_probability, reason]. All or none; the next run honours them. Labels without an inclusion probability
    become checks among the items of reviewers."""
    from pipelines.review.decisions import import_file

    click.echo(import_file(folder(data), Path(file), by))
