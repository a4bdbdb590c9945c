"""What working with models takes, and what is told of a model wherever it is shown."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from linkage_models.card import certainty
from linkage_models.models import Model, ModelFault
from pipelines.faults import BoroughlinkError
from pipelines.governance.purposes import VIEWS
from pipelines.keys.keyring import TRAINING
from pipelines.linkage.shelf import Shelf
from pipelines.linkage.trial import Tried, try_model
from pipelines.operations import Operations, opened_store
from pipelines.reading.purposes import purposes_at
from pipelines.settings import DataFolder, Settings, load_settings
from pipelines.warehouse import Warehouse


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
        asked = self.settings.target_precision, self.settings.cluster_stop, self.settings.states_target
        return try_model(wh, model, self.views, decisions, *asked)


@contextmanager
def opened(folder: DataFolder, sources: str | None) -> Iterator[Bench]:
    """Raises BoroughlinkError when there is no data folder."""
    purposes = purposes_at(folder.standing(), sources)
    views = {view: purposes.sources(view) for view in VIEWS}
    with opened_store(folder, TRAINING) as operations:
        try:
            yield Bench(folder, load_settings(folder), operations, Shelf.of(folder, operations.keyring), views)
        except ModelFault as fault:
            raise BoroughlinkError(f"{fault}.") from None


def estimates_of(found: Tried) -> list[dict[str, Any]]:
    """By view: linked pairs, precision and recall with intervals, and the thresholds."""
    return [
        {"view": view, "links": links}
        | asdict(said)
        | {"link": found.thresholds[view].link, "review": found.thresholds[view].review}
        for view, (links, said) in found.estimates.items()
    ]


def estimate_row(said: Mapping[str, Any]) -> tuple[Any, ...]:
    """One of `estimates_of` as a row: view, linked pairs, precision, recall, links from, review from."""
    precision, recall = (
        f"{said[r]:.4f} ({said[f'{r}_low']:.4f} to {said[f'{r}_high']:.4f})" for r in ("precision", "recall")
    )
    return said["view"], said["links"], precision, recall, said["link"], said["review"]


def facts_of(model: Model) -> dict[str, Any]:
    """What scripts want to know of a model."""
    card = {name: value for name, value in model.card.items() if name != "weak"}
    return {"name": model.version, "mark": model.mark, "design": model.design, "certainty": certainty(model)} | card
