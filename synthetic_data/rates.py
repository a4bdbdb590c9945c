"""How often each system goes wrong: errors.yaml and coverage.yaml under one profile and seed."""

from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from synthetic_data.draws import Draws
from synthetic_data.randomness import stable_hash

_FOLDER = Path(__file__).parent
_CEILING = 0.95  # damage that spoils nearly every row would no longer be an error but a layout


@cache
def _document(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8")))


def profiles() -> tuple[str, ...]:
    """The names of the error profiles, mildest first."""
    return tuple(_document("errors.yaml")["profiles"])


@dataclass(frozen=True)
class Month:
    """A monthly delivery: its day, those of the first and of the one before (None in the first), how often a wrong
    record is put right, a fault of its own."""

    day: date
    opening: date
    before: date | None
    corrected_yearly: float
    upload_fault: dict[str, Any] | None = None


@dataclass(frozen=True)
class Rates:
    """Rates per row (0..1) of one profile; `draws` gives the random numbers that go with a seed.

    `settled` holds what was decided by a row's place in its file, under its key, so that the extracts of other months
    do not decide anew; it belongs to one borough.
    """

    profile: str
    seed: int
    settled: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    month: "Month | None" = None

    def __post_init__(self) -> None:
        if self.profile not in profiles():
            raise ValueError(f"unknown error profile {self.profile!r}; known: {', '.join(profiles())}")

    def draws(self, name: str, keys: pl.Series) -> Draws:
        """Random numbers for one named purpose, one row a key, the same in every process."""
        return Draws(stable_hash(f"extracts:{self.seed}:{name}"), keys)

    def corrected(self, system: str, keys: pl.Series) -> pl.Series:
        """Which records the system has put right since the first delivery; each waits its own time."""
        if self.month is None:
            return pl.repeat(False, len(keys), eager=True, dtype=pl.Boolean)
        years = (self.month.day - self.month.opening).days / 365.25
        waited = -np.log1p(-self.draws(f"{system}:corrections", keys).random()) / self.month.corrected_yearly
        return pl.Series(waited <= years)

    def note_corrected(self, system: str, field: str, keys: pl.Series, was_wrong: pl.Series) -> None:
        """Keep for the truth which records were put right by this month."""
        if self.month is not None:
            rows = pl.DataFrame({"source_key": keys.cast(pl.String)}).filter(was_wrong.fill_null(False))
            told = rows.select(
                pl.lit(system).alias("source"), "source_key", field=pl.lit(field), month=pl.lit(self.month.day)
            )
            self.settled.setdefault("corrections", []).append(told)

    def _factor(self, kind: str) -> float:
        return float(_document("errors.yaml")["profiles"][self.profile][kind])

    def _rate(self, section: str, error: str, system: str) -> float:
        entry = _document("errors.yaml")[section][error]
        central = float(entry.get(system, entry.get("default", 0.0)))
        # A system that always writes so (1.0) is a house style: no profile changes it.
        return central if central in (0.0, 1.0) else min(central * self._factor("damage"), _CEILING)

    def person(self, error: str, system: str) -> float:
        """Chance that a person's row has this error."""
        return self._rate("person", error, system)

    def address(self, error: str, system: str) -> float:
        """Chance that an address (or, for conventions, a building or street) has this error."""
        return self._rate("address", error, system)

    def address_prevalence(self) -> float:
        """How many times the rates of the address-errors profile are used in the sampled buildings."""
        return float(self.setting("address", "learnt_damage")["prevalence"]) * self._factor("damage")

    def batch(self, error: str, system: str) -> float:
        """Chance that a whole batch has this property."""
        return self._rate("batches", error, system)

    def setting(self, section: str, name: str) -> Any:
        """A number or table of errors.yaml that no profile changes."""
        return _document("errors.yaml")[section][name]

    def group_factor(self, error: str, group: str) -> float:
        """How many times likelier an error is for a name culture or kind of person."""
        return float(_document("errors.yaml")["factors"].get(error, {}).get(group, 1.0))

    def lag_days(self, system: str) -> float:
        """Mean days until a system writes a changed surname."""
        return float(_document("errors.yaml")["name_change_lag_days"][system])

    def coverage(self, system: str, field: str) -> float:
        """Share of rows in which a system fills a field."""
        filled = float(_document("coverage.yaml")[system][field])
        return max(0.0, 1.0 - (1.0 - filled) * self._factor("gaps"))

    def intake_faults(self, file: str) -> list[dict[str, Any]]:
        """The row faults planted in a file for the intake to set aside."""
        return [fault for fault in _document("errors.yaml")["intake_faults"] if fault["file"] == file]
