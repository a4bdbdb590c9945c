"""`train` and `models`: training on the published records, calibrating from labels, looking at models side by side."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from linkage_models.calibration import Calibration, Thresholds, TooFewLabels, face_value, thresholds
from linkage_models.card import certainty, origin, written
from linkage_models.models import CORE, Model, ModelFault, version_name, weights
from linkage_models.thresholds import FEWEST_TO_TRAIN
from linkage_models.training import TrainingFailed
from pipelines.commit_point import hold_lock, recover
from pipelines.decisions import read_decisions
from pipelines.differences.comparing import Persons, groups_between, load_moved, persons_between, worst_group
from pipelines.differences.telling import persons_in_words, touched
from pipelines.faults import BoroughlinkError, plural
from pipelines.governance import audit
from pipelines.governance.keys import open_keyring
from pipelines.governance.pseudonyms import record_name
from pipelines.governance.purposes import VIEWS, Purposes
from pipelines.linkage.choice import COMMON, design_here, train_here
from pipelines.linkage.company import open_view_edges
from pipelines.linkage.labelling import Sample, calibrate_here
from pipelines.linkage.persons import MEMBERSHIP
from pipelines.linkage.shelf import SHIPPED, Shelf, stated, told
from pipelines.linkage.trial import VIEW, Tried, beside_snapshot, common_at_hand, least_sure, misfits, try_model
from pipelines.operations import Operations
from pipelines.reading import Answer
from pipelines.runs import person
from pipelines.settings import DataFolder, Settings, load_settings, located
from pipelines.snapshots import NothingPublished, published_place
from pipelines.warehouse import Warehouse

NOTE = "trained by `boroughlink train`"
CALIBRATED = "parameters as they were, probabilities fitted to labels"
#: Pairs that are named one by one; the rest is counted.
NAMED = 10
#: Of the labelled pairs this share must be among the compared ones still, or the sample is of other records.
STANDING = 0.9
_CLASSES = ("links", "review", "below", "not compared")


@dataclass(frozen=True)
class Bench:
    """What working with models takes: the folder's settings, keys and stores, and the sources of each view."""

    folder: DataFolder
    settings: Settings
    operations: Operations
    shelf: Shelf
    views: Mapping[str, Sequence[str]]

    def tried(self, wh: Warehouse, model: Model) -> Tried:
        decisions = self.operations.decisions()
        return try_model(wh, model, self.views, decisions, self.settings.target_precision, self.settings.cluster_stop)


def train_model(folder: DataFolder, name: str | None, labels: Path | None, sources: str | None = None) -> Answer:
    """Train a model on the published records and keep it; with `labels`, keep the published run's parameters and fit
    their probabilities to the labels. Raises BoroughlinkError; then nothing is kept."""
    published_place(folder)
    with closing(hold_lock(folder, f"{person()}, training a model")), _bench(folder, sources) as bench:
        recover(folder, bench.operations)
        if name is not None:
            bench.shelf.checked(name)
        with beside_snapshot(folder) as wh:
            said: list[str] = []
            if labels is None:
                model = _trained(wh, bench)
            else:
                model, said = _calibrated(wh, bench, labels)
            found = bench.tried(wh, model)
            model = replace(model, card=model.card | {"estimates": _estimates(found), "weak": least_sure(wh)})
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


def _calibrated(wh: Warehouse, bench: Bench, labels: Path) -> tuple[Model, list[str]]:
    """The published run's model with probabilities fitted to the labels, and what that changes."""
    scored = Model.of(*wh.rows("SELECT body, terms FROM published.linkage.model")[0])
    parent = bench.shelf.load(scored.version)
    if parent.mark != scored.mark:
        raise BoroughlinkError(f"Model {parent.version} is no longer the one that scored run {wh.run_id}: run again.")
    sample, rows = _sample(labels)
    if sample.mark != scored.mark:
        raise BoroughlinkError(
            f"{labels} was drawn in run {sample.run}, whose pairs another model scored than {scored.version} of run"
            f" {wh.run_id}: draw a new sample with `boroughlink export label-sample`, or pin that model and run again."
        )
    if strange := sum(not drawn for drawn in sample.draws(wh, rows)):
        raise BoroughlinkError(
            f"{labels}: {strange:,} of {plural(len(rows), 'pair')} were not drawn in run {sample.run} with the"
            " inclusion probability that stands beside them. Only a random sample as `boroughlink export label-sample`"
            " wrote it can calibrate: leave its columns record_l, record_r, inclusion_probability and sample."
        )
    try:
        said = f"fitted to {plural(len(rows), 'label')} of reviewers, drawn in run {sample.run}"
        after = calibrate_here(wh, rows, said, sample.view)
    except TooFewLabels as fault:
        raise BoroughlinkError(f"{labels}: {fault}.") from None
    if after.labels < STANDING * len(rows):
        raise BoroughlinkError(
            f"{labels}: {len(rows) - after.labels:,} of {plural(len(rows), 'pair')} are not compared in run"
            f" {wh.run_id}: the sample is of other records. Draw a new one."
        )
    before = scored.calibration or face_value()
    on = scored.card.get("trained_on", {}) | {"run": wh.run_id, "day": wh.as_of.isoformat()}
    sources = dict(
        wh.rows("SELECT source, count(*) FROM published.people.record WHERE is_person GROUP BY 1 ORDER BY 1")
    )
    kept = {"kind": "records", "parameters_of": parent.version, "sources": sources, "run": on["run"], "day": on["day"]}
    model = replace(
        parent.calibrated(after),
        version=version_name(wh.as_of),
        card=parent.card | {"trained_on": kept, "note": CALIBRATED, "calibrated": True},
    )
    return stated(model, bench.settings), list(_moved_thresholds(wh, bench, before, after))


def _sample(path: Path) -> tuple[Sample, list[dict[str, Any]]]:
    """An answered label sample. Raises BoroughlinkError if it is none, or lacks what a calibration stands on."""
    rows = read_decisions(path)
    if other := sum(row["kind"] != "label" for row in rows):
        raise BoroughlinkError(
            f"{path}: {other:,} of {plural(len(rows), 'row')} are decisions, no labels: only a random sample can"
            " calibrate (`boroughlink export label-sample`); decisions on chosen pairs go in with `boroughlink"
            " decisions import`."
        )
    if without := sum("inclusion_probability" not in row for row in rows):
        raise BoroughlinkError(
            f"{path}: {without:,} of {plural(len(rows), 'pair')} have no inclusion probability. Without it nobody knows"
            " what they stand for: label a sample that `boroughlink export label-sample` drew, and leave that column."
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        drawn = {(line.get("sample") or "").strip() for line in csv.DictReader(file)}
    sample = Sample.read(drawn.pop()) if len(drawn) == 1 else None
    if sample is None:
        raise BoroughlinkError(
            f"{path}: its column `sample` must say the same draw on every line, as `boroughlink export label-sample`"
            " wrote it: one sample at a time, whole."
        )
    return sample, rows


def _moved_thresholds(wh: Warehouse, bench: Bench, before: Calibration, after: Calibration) -> Iterator[str]:
    """What another calibration of the same weights does to the thresholds of each view."""
    for view in sorted(bench.views):
        weight = _weights(wh, view)
        if not len(weight):
            continue
        old, new = (thresholds(each, weight, bench.settings.target_precision) for each in (before, after))
        linked = [int((weight >= at.link).sum()) for at in (old, new)]
        yield (
            f"{view}: pairs link from {new.link:+.2f} (before {old.link:+.2f}), go to review from {new.review:+.2f}"
            f" (before {old.review:+.2f}); {linked[1]:,} pairs link on their own evidence (before {linked[0]:,}),"
            f" {new.expected:.2%} of them expected to be right."
        )


def _weights(wh: Warehouse, view: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Weights of the published pairs inside a view."""
    open_view_edges(wh, view, "published")
    found = wh.con.execute(
        """SELECT e.match_weight AS weight FROM view_edge e
        JOIN published.linkage.membership l ON l.view = $view AND l.record_id = e.record_l
        JOIN published.linkage.membership r ON r.view = $view AND r.record_id = e.record_r""",
        {"view": view},
    ).fetchnumpy()
    return np.asarray(found["weight"], dtype=np.float64)


def _estimates(found: Tried) -> list[dict[str, Any]]:
    return [
        {"view": view, "links": links} | asdict(said) | _ends(found.thresholds[view])
        for view, (links, said) in found.estimates.items()
    ]


def _ends(at: Thresholds) -> dict[str, float]:
    return {"link": at.link, "review": at.review}


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
    rows = [_estimate_row(each) for each in model.card["estimates"]]
    columns = ("view", "linked pairs", "precision", "recall", "links from", "review from")
    return Answer(lines, [("Links as estimated without a truth", columns, rows)], {"model": _facts(model)})


def _estimate_row(said: Mapping[str, Any]) -> tuple[Any, ...]:
    precision, recall = (
        f"{said[r]:.4f} ({said[f'{r}_low']:.4f} to {said[f'{r}_high']:.4f})" for r in ("precision", "recall")
    )
    return said["view"], said["links"], precision, recall, said["link"], said["review"]


def _facts(model: Model) -> dict[str, Any]:
    card = {name: value for name, value in model.card.items() if name != "weak"}
    return {"name": model.version, "mark": model.mark, "design": model.design, "certainty": certainty(model)} | card


def models_of(folder: DataFolder, sources: str | None = None) -> Answer:
    """The models at hand: what each was trained on, whether it is calibrated here, pinned, and fits the records."""
    with _bench(folder, sources) as bench:
        models, faults = [bench.shelf.load(SHIPPED)], []
        for name in bench.shelf.names():
            try:
                models.append(bench.shelf.load(name))
            except BoroughlinkError as fault:
                faults.append(str(fault))
        try:
            pinned = bench.shelf.load(bench.settings.model).version
        except BoroughlinkError as fault:
            pinned = ""
            faults.append(f"The setting model is {bench.settings.model}: {fault}")
        used, fit = _used_and_fit(folder, bench, models)
    rows = [
        (
            model.version + (" (shipped)" if place == 0 else ""),
            (model.card.get("trained_on") or {}).get("day") or model.version[-10:],
            origin(model),
            model.card.get("records", 0),
            f"{model.design}: {', '.join(model.comparisons)}",
            certainty(model),
            "yes" if model.version == pinned else "",
            "yes" if model.version == used else "",
            fit[place],
        )
        for place, model in enumerate(models)
    ]
    columns = ("name", "date", "trained on", "records", "compares", "calibrated", "pinned", "used last", "fits")
    asked = "" if bench.settings.model == pinned else f" ({bench.settings.model})"
    said = [
        f"Pinned in the settings: {pinned}{asked}." if pinned else "No model is pinned that could be used.",
        *faults,
    ]
    return Answer(said, [("Models", columns, rows)])


def _used_and_fit(folder: DataFolder, bench: Bench, models: Sequence[Model]) -> tuple[str, list[str]]:
    """The model that scored the published run, and for each model whether it fits the records of that run."""
    try:
        with beside_snapshot(folder) as wh:
            used = str(wh.scalar("SELECT version FROM published.linkage.model"))
            return used, ["yes" if why is None else f"no: {why}" for why in misfits(wh, models, bench.views)]
    except NothingPublished:
        return "", ["no run to hold it against"] * len(models)


def card_of(folder: DataFolder, name: str) -> tuple[str, dict[str, Any]]:
    """The card of a model as Markdown, and as data."""
    with _bench(folder, None) as bench:
        model = bench.shelf.load(name)
    return written(model), _facts(model) | {"card": written(model)}


def compare_models(folder: DataFolder, one: str, other: str, sources: str | None = None) -> Answer:
    """Two models over the records of the published run: parameters, pairs that cross a threshold, persons that would
    merge or split. Nothing is changed."""
    with _bench(folder, sources) as bench, beside_snapshot(folder) as wh:
        models = [bench.shelf.load(name) for name in (one, other)]
        for model, why in zip(models, misfits(wh, models, bench.views), strict=True):
            if why:
                raise BoroughlinkError(f"Model {model.version} does not fit the records of run {wh.run_id}: {why}.")
        found = []
        for when, model in zip(("before", "after"), models, strict=True):
            found.append(bench.tried(wh, model))
            _set_aside(wh, when, found[-1].thresholds[VIEW])
        load_moved(wh)
        persons = persons_between(wh)
        groups = groups_between(wh, "published")
        crossing, named = _crossing(wh)
        records = sorted({record_name(bench.operations.keyring, record) for row in named for record in row[:2]})
        subject = f"{models[0].version}, {models[1].version}"
        audit.record(bench.operations, person(), "models compared", subject, run=wh.run_id, records=records)
    names = tuple(model.version for model in models)
    said = [
        f"{names[0]} and {names[1]} on the records of run {wh.run_id}, set to {found[0].model.population:,} people."
    ]
    if models[0].mark == models[1].mark:
        said.append("They hold the same parameters: only their probabilities, and the thresholds by them, can differ.")
    said += _people_in_words(persons, groups)
    changed = sum(pairs for was, now, pairs in crossing if was != now)
    said.append(f"{plural(changed, 'pair')} of the view {VIEW} would cross a threshold.")
    tables = [
        ("Models", ("", *names), _side_by_side(models, found)),
        (
            "Pairs by what becomes of them in the view data_quality",
            (f"with {names[0]}", f"with {names[1]}", "pairs"),
            crossing,
        ),
        (f"Pairs that cross a threshold, the {NAMED} that move most", ("record", "record ", *names), named),
        ("Persons", ("view", *names, "unchanged", "merged", "into", "split", "into "), _person_rows(persons)),
        ("Weights (bits)", ("comparison", "level", *names, "difference"), _parameters(*(each.model for each in found))),
    ]
    return Answer(said, [table for table in tables if table[2]])


def _set_aside(wh: Warehouse, when: str, at: Thresholds) -> None:
    """Keep who is with whom, and the pairs of VIEW with what becomes of them, as <when>_member and <when>_pair."""
    wh.execute(f"CREATE OR REPLACE TEMP TABLE {when}_member AS SELECT view, record_id, person_id FROM {MEMBERSHIP}")
    open_view_edges(wh, VIEW)
    wh.execute(
        f"""-- one row per compared pair of the view
        CREATE OR REPLACE TEMP TABLE {when}_pair AS
        SELECT record_l, record_r, match_weight, CASE WHEN match_weight >= {at.link!r} THEN '{_CLASSES[0]}'
            WHEN match_weight >= {at.review!r} THEN '{_CLASSES[1]}' ELSE '{_CLASSES[2]}' END AS became
        FROM view_edge SEMI JOIN {when}_member l ON l.view = '{VIEW}' AND l.record_id = record_l
        SEMI JOIN {when}_member r ON r.view = '{VIEW}' AND r.record_id = record_r"""
    )


def _crossing(wh: Warehouse) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Pairs by what became of them with either model, and those of them by name that move most."""
    wh.execute(
        f"""-- one row per pair that either model compared
        CREATE OR REPLACE TEMP TABLE both_pair AS
        SELECT record_l, record_r, coalesce(b.became, '{_CLASSES[3]}') AS was,
            coalesce(a.became, '{_CLASSES[3]}') AS now, b.match_weight AS weight_before, a.match_weight AS weight_after
        FROM before_pair b FULL JOIN after_pair a USING (record_l, record_r)"""
    )
    counted = wh.rows("SELECT was, now, count(*) AS pairs FROM both_pair GROUP BY ALL")
    order = {name: place for place, name in enumerate(_CLASSES)}
    named = wh.rows(
        "SELECT record_l, record_r, round(weight_before, 2), round(weight_after, 2) FROM both_pair WHERE was <> now"
        f" ORDER BY abs(coalesce(weight_after, 0) - coalesce(weight_before, 0)) DESC, record_l, record_r LIMIT {NAMED}"
    )
    return sorted(counted, key=lambda row: (order[row[0]], order[row[1]])), named


def _people_in_words(persons: Sequence[Persons], groups: Sequence[Any]) -> Iterator[str]:
    for view in persons:
        yield f"{view.view}: {persons_in_words(view)}"
        if worst := worst_group(groups, view.view):
            yield f"  Most touched: {touched(worst)}."


def _person_rows(persons: Sequence[Persons]) -> list[tuple[Any, ...]]:
    return [(p.view, p.before, p.after, p.unchanged, p.merged, p.merged_into, p.split, p.split_into) for p in persons]


def _side_by_side(models: Sequence[Model], found: Sequence[Tried]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [
        ("trained on", *(origin(model) for model in models)),
        ("calibration", *(certainty(model) for model in models)),
        ("design", *(model.design for model in models)),
        ("two random records are one person, log2 odds", *(round(_odds(each.model), 2) for each in found)),
    ]
    for view in found[0].estimates:
        told_of = [_estimate_row(next(e for e in _estimates(each) if e["view"] == view)) for each in found]
        for place, words in ((2, "precision"), (3, "recall"), (4, "links from"), (5, "review from")):
            rows.append((f"{view}: {words}", *(row[place] for row in told_of)))
    return rows


def _odds(model: Model) -> float:
    return math.log2(model.prior / (1 - model.prior))


def _parameters(one: Model, other: Model) -> list[tuple[Any, ...]]:
    """The weight of every level in both models; None where a model lacks the level."""
    held = [{(name, words): bits for name, words, bits in weights(model)} for model in (one, other)]
    rows = []
    for name, words in dict.fromkeys([*held[0], *held[1]]):
        bits = [each.get((name, words)) for each in held]
        gap = None if None in bits else round(bits[1] - bits[0], 2)  # type: ignore[operator]
        rows.append((name, words, *(None if each is None else round(each, 2) for each in bits), gap))
    return rows


@contextmanager
def _bench(folder: DataFolder, sources: str | None) -> Iterator[Bench]:
    """Raises BoroughlinkError when there is no data folder."""
    from pipelines.sources.contract_files import load_contracts

    if not folder.root.is_dir():
        raise BoroughlinkError(f"There is no data folder at {folder.root}.")
    settings = load_settings(folder)
    keyring = open_keyring(folder, settings)
    purposes = Purposes.load(load_contracts(located(folder, sources=sources)[1]).values(), settings.today())
    operations = Operations.open(folder, keyring)
    try:
        views = {view: purposes.sources(view) for view in VIEWS}
        yield Bench(folder, settings, operations, Shelf.of(folder, keyring), views)
    except ModelFault as fault:
        raise BoroughlinkError(f"{fault}.") from None
    finally:
        operations.close()
