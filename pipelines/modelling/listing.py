"""`models` and `models card`: what is at hand."""

from collections.abc import Sequence
from typing import Any

from linkage_models.card import certainty, origin, written
from linkage_models.models import Model
from pipelines.faults import BoroughlinkError
from pipelines.linkage.shelf import SHIPPED
from pipelines.linkage.trial import beside_snapshot, misfits
from pipelines.modelling.bench import Bench, facts_of, opened
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder
from pipelines.snapshots import NothingPublished


def models_of(folder: DataFolder, sources: str | None = None) -> Answer:
    """The models at hand: what each was trained on, whether it is calibrated here, pinned, and fits the records."""
    with opened(folder, sources) as bench:
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
            model.card["trained_on"].get("day") or model.version[-10:],
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
    with opened(folder, None) as bench:
        model = bench.shelf.load(name)
    return written(model), facts_of(model) | {"card": written(model)}
