"""The council's own models in `models/`: <name>.json for people to read (m, u, prior, card; no personal value),
<name>.frequencies, the term frequencies, sealed and bound to that very JSON, and <name>.md, the card.

A model is there when its JSON is; that is written last.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from linkage_models.card import written
from linkage_models.models import NAMES_OF, Model, ModelFault, pinned
from linkage_models.person.communities import LEARNT_BESIDE, SURNAME
from pipelines.faults import BoroughlinkError, printable
from pipelines.governance import audit
from pipelines.keys.keyring import KeyFault, Keyring
from pipelines.runs import Run
from pipelines.settings import MODEL_NAME, DataFolder, Settings, write_atomically

SHIPPED, NEWEST = "shipped", "newest"
_KEY = "archive"  # term frequencies are common names; training holds no key of the identity zone


class UnknownModel(BoroughlinkError):
    """There is no model of that name."""


@dataclass(frozen=True)
class Shelf:
    """The models in a folder, with the keys that open their term frequencies."""

    folder: Path
    keyring: Keyring

    @classmethod
    def of(cls, folder: DataFolder, keyring: Keyring) -> "Shelf":
        return cls(folder.models, keyring)

    def names(self) -> list[str]:
        """The names of the council's models, in alphabetical order."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def models(self) -> list[Model]:
        """All models of the council, the newest last. Raises BoroughlinkError if one can't be read."""
        there = [self.load(name) for name in self.names()]
        return sorted(there, key=lambda model: (model.card.get("number", 0), model.version))

    def load(self, name: str) -> Model:
        """The model of that name, or what `shipped` and `newest` stand for. Raises BoroughlinkError."""
        if name == NEWEST:
            there = self.models()
            return there[-1] if there else self.load(SHIPPED)
        try:
            if name == SHIPPED:
                return pinned()
            if not MODEL_NAME.fullmatch(name) or not self._path(name).exists():
                return self._shipped_as(name)
            body = self._path(name).read_bytes()
            terms = self.keyring.decrypt(_KEY, self._frequencies(name).read_bytes(), _bound(name, body))
            return Model.of(body.decode("utf-8"), terms.decode("utf-8")).untouched()
        except ModelFault as fault:
            raise BoroughlinkError(f"{self._path(name)}: {fault}.") from None
        except KeyFault:
            raise BoroughlinkError(
                f"{self._path(name)} and its term frequencies are not those that were saved together: restore both from"
                " the backup, or train again."
            ) from None
        except (FileNotFoundError, UnicodeDecodeError):
            raise BoroughlinkError(
                f"{self._path(name)} can't be used: its {self._frequencies(name).name} is missing or damaged. Restore"
                " both from the backup, or train again."
            ) from None

    def save(self, model: Model, name: str | None = None, into: Path | None = None) -> Model:
        """Write a model under a new name, by default its version; returns it as it was saved. `into` is another folder
        than that in which the name must be free. Raises BoroughlinkError; nothing half-written stays."""
        named = self.free(model.version) if name is None else self.checked(name)
        number = max((each.card.get("number", 0) for each in self.models()), default=0) + 1
        saved = replace(model, version=named, card=model.card | {"number": number})
        self._write(saved, into or self.folder)
        return saved

    def keep_without(self, name: str, values: Collection[str], into: Path) -> bool:
        """Write a model of the council anew into a folder, without the frequencies of these values; False where it
        holds none. What it learnt else, and what was calibrated, stays as it is."""
        model = self.load(name)
        if model.of_invented_people or (kept := without_terms(model, values)) is model:
            return False
        self._write(kept, into)
        return True

    def _write(self, saved: Model, folder: Path) -> None:
        named = saved.version
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        body = saved.body().encode("utf-8")
        sealed = self.keyring.encrypt(_KEY, saved.terms_body().encode("utf-8"), _bound(named, body))
        parts = {"frequencies": sealed, "md": written(saved).encode("utf-8"), "json": body}
        try:
            for suffix, content in parts.items():
                write_atomically(folder / f"{named}.{suffix}", content)
        except BaseException:
            for suffix in parts:
                (folder / f"{named}.{suffix}").unlink(missing_ok=True)
            raise

    def checked(self, name: str) -> str:
        """The name, if a new model may have it. Raises BoroughlinkError."""
        if not MODEL_NAME.fullmatch(name) or name in (SHIPPED, NEWEST):
            raise BoroughlinkError(
                f"{printable(name)} can't be a model's name: write up to 60 small letters, digits and hyphens, a letter"
                f" first, and neither {SHIPPED} nor {NEWEST}."
            )
        if self._path(name).exists() or name == pinned().version:
            raise BoroughlinkError(f"There is a model {name} already: choose another name.")
        return name

    def free(self, wanted: str) -> str:
        """The wanted name, with a number where it is taken."""
        number, name = 1, wanted
        while self._path(name).exists() or name == pinned().version:
            number += 1
            name = f"{wanted}-{number}"
        return name

    def _shipped_as(self, name: str) -> Model:
        model = pinned()
        if name == model.version:
            return model
        there = self.names()
        raise UnknownModel(
            f"There is no model {printable(name)}. There are {', '.join([*there, SHIPPED, NEWEST])};"
            " `boroughlink models` says more."
        )

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _frequencies(self, name: str) -> Path:
        return self.folder / f"{name}.frequencies"


def keep_trained(run: Run, shelf: Shelf, model: Model) -> None:
    """Keep a model that a run trained: it joins the others when the run commits. The audit notes the training."""
    saved = shelf.save(stated(model, run.settings), model.version, run.work / "models")
    audit.record(run.operations, run.started_by, "model trained", saved.version, **told(saved))


def without_terms(model: Model, values: Collection[str]) -> Model:
    """The model without the frequencies of these values; itself where it holds none. What the shipped model says of a
    name tells of nobody here and stays: without it the model would be another, and what was answered of it lost."""
    shipped = pinned().terms
    shipped |= {LEARNT_BESIDE: shipped[SURNAME]}
    terms = {
        column: {v: f for v, f in held.items() if v not in values or shipped.get(column, {}).get(v) == f}
        for column, held in model.terms.items()
    }
    if terms == model.terms:
        return model
    if NAMES_OF in model.card:  # the names of the place are no part of what its mark is taken of
        return replace(model, terms=terms)
    kept = replace(model, terms=terms, calibration=None, transfer=None, mark="")
    return kept.calibrated(model.calibration, model.transfer) if model.calibration else kept


def stated(model: Model, settings: Settings) -> Model:
    """The model, whose card says whose records it was trained on."""
    origin = model.card["trained_on"] | {"council": settings.council, "holds": settings.holds}
    return replace(model, card=model.card | {"trained_on": origin})


def told(model: Model) -> dict[str, Any]:
    """What the audit keeps of a training."""
    return {"mark": model.mark, "run": model.card["trained_on"]["run"], "records": model.card["records"]}


def _bound(name: str, body: bytes) -> bytes:
    return name.encode() + b"\0" + hashlib.sha256(body).digest()
