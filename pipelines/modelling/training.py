"""`train`: a model from the published records, or the run's own calibrated, kept with its card."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from linkage_models.card import certainty, origin
from linkage_models.models import CORE, Model, version_name, weights
from linkage_models.thresholds import FEWEST_TO_TRAIN
from linkage_models.training import TrainingFailed
from pipelines.commit_point import hold_lock, recover
from pipelines.faults import BoroughlinkError, plural
from pipelines.governance import audit
from pipelines.governance.actors import person
from pipelines.linkage.choice import COMMON, design_here, train_here
from pipelines.linkage.shelf import stated, told
from pipelines.linkage.trial import beside_snapshot, common_at_hand, least_sure
from pipelines.modelling.bench import Bench, estimate_row, estimates_of, facts_of, opened
from pipelines.modelling.calibrating import calibrated
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder
from pipelines.snapshots import published_place
from pipelines.warehouse import Warehouse

NOTE = "trained by `boroughlink train`"


def train_model(folder: DataFolder, name: str | None, labels: Path | None, sources: str | None = None) -> Answer:
    """Train a model on the published records and keep it; with `labels`, keep the published run's parameters and fit
    their probabilities to the labels. Raises BoroughlinkError; then nothing is kept."""
    published_place(folder)
    with closing(hold_lock(folder, f"{person()}, training a model")), opened(folder, sources) as bench:
        recover(folder, bench.operations)
        if name is not None:
            bench.shelf.checked(name)
        with beside_snapshot(folder) as wh:
            said: list[str] = []
            if labels is None:
                model = _trained(wh, bench)
            else:
                model, said = calibrated(wh, bench, labels)
            found = bench.tried(wh, model)
            model = replace(model, card=model.card | {"estimates": estimates_of(found), "weak": least_sure(wh)})
            saved = bench.shelf.save(model, name)
        audit.record(bench.operations, person(), "model trained", saved.version, **told(saved))
    return _kept(bench, saved, said)


def _trained(wh: Warehouse, bench: Bench) -> Model:
    with common_at_hand(wh, bench.views):
        records = int(wh.scalar(f"SELECT count(*) FROM {COMMON}"))
        if records < FEWEST_TO_TRAIN:
            raise BoroughlinkError(
                f"No model was trained: {plural(records, 'record')} that every purpose may read are too few, at least"
                f" {FEWEST_TO_TRAIN:,} are needed. The shipped model serves meanwhile."
            )
        try:
            model = train_here(wh, design_here(wh), NOTE, version_name(wh.as_of))
        except TrainingFailed as fault:
            raise BoroughlinkError(f"No model was trained: {fault}. Nothing was changed.") from None
    for comparison in CORE.intersection(model.comparisons):
        bits = [w for name, _, w in weights(model) if name == comparison]
        if max(bits) <= 0 or bits[-1] >= 0:
            raise BoroughlinkError(
                f"No model was trained: by what was learnt of {comparison}, agreement weighs {max(bits):+.1f} bits and"
                f" difference {bits[-1]:+.1f}, so it tells nobody apart. Is the column a default value, or are too few"
                " people seen twice? Nothing was changed."
            )
    return stated(model, bench.settings)


def _kept(bench: Bench, model: Model, said: Sequence[str]) -> Answer:
    lines = [f"Kept as {model.version}: {origin(model)}, {model.card['records']:,} records, {certainty(model)}.", *said]
    if assumed := model.card.get("assumed"):
        lines.append(f"Too little data to learn these from, so they keep assumed values: {', '.join(assumed)}.")
    if model.calibration is None:
        lines.append(
            "Its probabilities are not calibrated: they are weights at face value. After a run with it, label a sample"
            " (`boroughlink export label-sample`) and give it to `boroughlink train --labels`."
        )
    lines += [
        f"Card: {bench.shelf.folder / f'{model.version}.md'}",
        f"Judge it before you pin it: `boroughlink models compare {bench.settings.model} {model.version}`, then"
        f" `boroughlink run --preview --set model={model.version}`.",
        f"Pin it with `model: {model.version}` in boroughlink.yaml.",
    ]
    rows = [estimate_row(each) for each in model.card["estimates"]]
    columns = ("view", "linked pairs", "precision", "recall", "links from", "review from")
    return Answer(lines, [("Links as estimated without a truth", columns, rows)], {"model": facts_of(model)})
