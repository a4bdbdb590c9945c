"""A trained person model: its settings (m, u, prior), its frozen term frequencies and its card."""

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from linkage_models.calibration import Calibration
from linkage_models.estimation import Transfer
from linkage_models.person.comparisons import local_levels
from linkage_models.person.designs import COUNCIL, DESIGNS
from linkage_models.term_frequencies import leave_common_names, raised_chance

TRAINED = Path(__file__).parent / "trained"
CORE = {"forename", "home", "birth_date"}
SYNTHETIC = "synthetic"
NAMES_OF = "names_of_records"


class ModelFault(ValueError):
    """A model file is not what it should be; the message says what and what to do."""


@dataclass(frozen=True)
class Model:
    """`settings` is Splink's model; `terms` maps a column to value -> frequency, with '' for every value not listed;
    `calibration` says what its weights are worth, `transfer` how far its forecasts hold elsewhere; None: unknown.

    `mark` is a hash of what training found, the same for any number of people; a calibration names the mark of its
    model. Raises ModelFault for the calibration of another.
    """

    version: str
    population: int
    settings: dict[str, Any]
    terms: dict[str, dict[str, float]]
    card: dict[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = None
    design: str = COUNCIL.name
    transfer: Transfer | None = None
    mark: str = ""

    def __post_init__(self) -> None:
        if not self.mark:
            found = json.dumps([self.design, self.population, self.settings, self.terms], sort_keys=True)
            object.__setattr__(self, "mark", hashlib.sha256(found.encode()).hexdigest()[:16])
        if self.calibration and self.calibration.model != self.mark:
            raise ModelFault(
                f"the calibration in model {self.version} was fitted to another model's weights: fit it again"
            )

    @property
    def of_invented_people(self) -> bool:
        """Whether its parameters, names among them, are those of a model that shipped, wherever its probabilities were
        fitted: such a model knows nothing of the names of a place."""
        said = self.card.get("trained_on")
        return isinstance(said, dict) and SYNTHETIC in (said.get("kind"), said.get("parameters_from"))

    def calibrated(self, calibration: Calibration, transfer: Transfer | None = None) -> "Model":
        """The model with a calibration that was fitted to its weights."""
        return replace(self, calibration=replace(calibration, model=self.mark), transfer=transfer or self.transfer)

    def extend(self, con: duckdb.DuckDBPyConnection, table: str, counted: str | None = None) -> None:
        """Add to the temporary table `table` (as person.records writes it) what only this model's rules read; `counted`
        as Design.extend takes it."""
        design = DESIGNS[self.design]
        design.extend(con, table, counted)
        if design.joins_by_name:
            leave_common_names(con, table, self.terms, self.population)

    @property
    def comparisons(self) -> list[str]:
        return [comparison["output_column_name"] for comparison in self.settings["comparisons"]]

    def level_words(self, name: str, gamma: int) -> str:
        """The level of comparison `name` that Splink numbers `gamma` (-1 null, 0 the last)."""
        comparison = next(each for each in self.settings["comparisons"] if each["output_column_name"] == name)
        null, *levels = [each["label_for_charts"] for each in comparison["comparison_levels"]]
        return str(levels[len(levels) - 1 - gamma]) if gamma >= 0 else str(null)

    @property
    def prior(self) -> float:
        """Probability that two random records are of one person."""
        return float(self.settings["probability_two_random_records_match"])

    def misfit(self, comparisons: set[str]) -> str | None:
        """Why the model is not for records that allow these comparisons, None if it is: it must know them all, and they
        must hold what it leans on."""
        if unknown := comparisons - set(self.comparisons):
            return f"it was trained without what these records hold: {', '.join(sorted(unknown))}"
        if lacking := CORE.intersection(self.comparisons) - comparisons:
            return f"these records lack columns that it leans on: {', '.join(sorted(lacking))}"
        return None

    def without(self, comparisons: set[str]) -> "Model":
        """The model without these comparisons; itself where none would be left."""
        kept = [each for each in self.settings["comparisons"] if each["output_column_name"] not in comparisons]
        return replace(self, settings=self.settings | {"comparisons": kept}) if kept else self

    def with_terms(self, terms: dict[str, dict[str, float]]) -> "Model":
        """The model for records of other names: weights change, so that no calibration holds."""
        return replace(self, terms=self.terms | terms, calibration=None, transfer=None, mark="")

    def of_place(self, terms: dict[str, dict[str, float]], records: int) -> "Model":
        """The model with the names of so many records at hand, and u of what names share by chance as they do here:
        what agreement says of a person is the same, so that its mark and calibration stand."""
        names, settings = self.terms | terms, self.settings
        if self.design == COUNCIL.name and {"forename", "surname_key"} <= self.terms.keys():
            settings = raised_chance(settings, self.terms, names)
        return replace(self, settings=settings, terms=names, card=self.card | {NAMES_OF: records})

    def for_population(self, population: int) -> "Model":
        """The model for another number of people: the prior and the u of "same home" levels go with 1 / people.

        Evidence within a home is thereby unchanged, evidence across homes starts from the odds of the larger crowd.
        """
        ratio = self.population / population
        settings = json.loads(json.dumps(self.settings))
        odds = self.prior / (1 - self.prior) * ratio
        settings["probability_two_random_records_match"] = odds / (1 + odds)
        for comparison in settings["comparisons"]:
            for level in comparison["comparison_levels"]:
                if (comparison["output_column_name"], level["label_for_charts"]) in local_levels():
                    level["u_probability"] = min(level["u_probability"] * ratio, 0.99)
        return replace(self, settings=settings, population=population)

    def save(self, folder: Path) -> Path:
        """Write <version>.json (m, u, prior, card: no personal value) and <version>.terms.json beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.version}.json"
        path.write_text(self.body() + "\n", encoding="utf-8")
        path.with_suffix(".terms.json").write_text(self.terms_body() + "\n", encoding="utf-8")
        return path

    def body(self) -> str:
        """Settings and card as JSON."""
        body = {
            "version": self.version,
            "mark": self.mark,
            "design": self.design,
            "population": self.population,
            "card": self.card,
            "settings": self.settings,
        }
        if self.calibration:
            body["calibration"] = self.calibration.as_dict()
        if self.transfer:
            body["transfer"] = self.transfer.as_dict()
        return json.dumps(body, indent=1, sort_keys=True)

    def terms_body(self) -> str:
        """Term frequencies as JSON."""
        return self._terms_body

    @cached_property
    def _terms_body(self) -> str:
        return json.dumps(self.terms, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def of(body: str, terms: str) -> "Model":
        """The model of two JSON texts. Raises ModelFault."""
        try:
            read = json.loads(body)
            return Model(
                read["version"],
                read["population"],
                read["settings"],
                json.loads(terms),
                read["card"],
                Calibration.of(read["calibration"]) if "calibration" in read else None,
                read.get("design", COUNCIL.name),
                Transfer.of(read["transfer"]) if "transfer" in read else None,
                read["mark"],
            )
        except (KeyError, TypeError, json.JSONDecodeError):
            raise ModelFault("a model that this version of the code can't read: train it again") from None

    @staticmethod
    def load(path: Path) -> "Model":
        """The model of <version>.json and <version>.terms.json, whole as it was saved. Raises ModelFault."""
        return Model.of(
            path.read_text(encoding="utf-8"), path.with_suffix(".terms.json").read_text(encoding="utf-8")
        ).untouched()

    def untouched(self) -> "Model":
        """This model, as it was trained. Raises ModelFault if its numbers are not those that its mark was taken of."""
        if replace(self, mark="", calibration=None).mark != self.mark:
            raise ModelFault(f"the numbers of model {self.version} have been changed since it was trained")
        return self


def pinned() -> Model:
    """The model shipped with the code: the newest in trained/. Raises ModelFault."""
    paths = sorted(path for path in TRAINED.glob("person-*.json") if not path.name.endswith(".terms.json"))
    if not paths:
        raise ModelFault(f"no model is shipped in {TRAINED.name}/")
    return shipped(paths[-1])


def shipped(path: Path) -> Model:
    """A model that ships with the code. Raises ModelFault unless it says that it was trained on invented people, by
    which generator and from which seed: no council's data may lie beside the code."""
    model = Model.load(path)
    said = model.card.get("trained_on")
    known = said if isinstance(said, dict) else {}
    if known.get("kind") != SYNTHETIC or not known.get("generator") or not isinstance(known.get("seed"), int):
        raise ModelFault(
            f"{path.name} does not say which generator and seed its invented people came from (trained_on in its card):"
            f" only models trained on invented people may lie in {TRAINED.name}/"
        )
    return model


def weights(model: Model) -> list[tuple[str, str, float]]:
    """(comparison, level, match weight) of every level, for people to read."""
    return [
        (
            comparison["output_column_name"],
            level["label_for_charts"],
            math.log2(level["m_probability"] / level["u_probability"]),
        )
        for comparison in model.settings["comparisons"]
        for level in comparison["comparison_levels"]
        if not level.get("is_null_level")
    ]


def version_name(day: date) -> str:
    return f"person-{day:%Y-%m-%d}"
