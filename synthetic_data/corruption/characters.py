"""Damage to single words: slips of the finger, sound-alike spellings, misread letters. One word in, one word out."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl
import yaml

from synthetic_data.draws import Draws

Damage = Callable[[str, np.ndarray], str]  # the word and four random numbers in [0, 1)

_DRAWS = 4


@cache
def tables() -> dict[str, Any]:
    """The damage tables of tables.yaml."""
    return dict(yaml.safe_load((Path(__file__).parent / "tables.yaml").read_text(encoding="utf-8")))


@cache
def _sound_alikes() -> dict[str, list[str]]:
    return {
        name.lower(): [other for other in family if other != name]
        for family in tables()["sound_alikes"]
        for name in family
    }


def damage_where(words: pl.Series, hit: np.ndarray, damage: Damage, draws: Draws) -> pl.Series:
    """`words` with `damage` done where `hit`; nulls and empty words stay."""
    rows = np.flatnonzero(hit & (words.fill_null("") != "").to_numpy())
    numbers = draws.at(rows, _DRAWS)
    if len(rows) == 0:
        return words
    spoilt = [damage(word, draw) for word, draw in zip(words.gather(rows).to_list(), numbers, strict=True)]
    return words.scatter(rows, pl.Series(spoilt, dtype=pl.String))


T = TypeVar("T")


def _choose(options: list[T], draw: float) -> T:
    return options[int(draw * len(options))]


def _like(pattern: str, word: str) -> str:
    return word.upper() if pattern.isupper() and len(pattern) > 1 else word


def mistyped(word: str, draw: np.ndarray) -> str:
    """A slip of the finger: neighbouring key, swapped, dropped, doubled letter. The first letter mostly survives."""
    first = 0 if draw[0] < 0.06 else 1
    if len(word) < 3:
        return word
    at = first + int(draw[1] * (len(word) - first))
    kind = draw[2]
    if kind < 0.35:
        keys = tables()["neighbour_keys"].get(word[at].lower())
        if keys is None:
            return word
        key = _choose(list(keys), draw[3])
        return word[:at] + (key.upper() if word[at].isupper() else key) + word[at + 1 :]
    if kind < 0.57 and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.80:
        return word[:at] + word[at + 1 :]
    return word[: at + 1] + word[at].lower() + word[at + 1 :] if not word.isupper() else word[: at + 1] + word[at:]


def _regrouped(word: str, groups: list[list[str]], draw: np.ndarray) -> str:
    """One letter group of the word replaced by another; the word itself when none occurs."""
    lower = word.lower()
    fitting = [(old, new) for old, new in groups if old in lower[1:]]
    if not fitting:
        return word
    old, new = _choose(fitting, draw[0])
    at = lower.index(old, 1)
    return word[:at] + _like(word, new) + word[at + len(old) :]


def misheard(word: str, draw: np.ndarray) -> str:
    """A spelling that sounds the same."""
    alikes = _sound_alikes().get(word.lower())
    if alikes and draw[1] < 0.7:
        return _like(word, _choose(alikes, draw[2]))
    return _regrouped(word, tables()["sound_groups"], draw)


def misread(word: str, draw: np.ndarray) -> str:
    """Letters that a scanner takes for others."""
    return _regrouped(word, tables()["scanned_letters"], draw)


def digits_swapped(number: str, draw: np.ndarray) -> str:
    """Two neighbouring digits of a number changed over."""
    places = [i for i in range(len(number) - 1) if number[i : i + 2].isdigit() and number[i] != number[i + 1]]
    if not places:
        return number
    at = _choose(places, draw[0])
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def digit_wrong(number: str, draw: np.ndarray) -> str:
    """One digit of a number mistyped, never into a leading nought."""
    places = [i for i, character in enumerate(number) if character.isdigit()]
    if not places:
        return number
    at = _choose(places, draw[0])
    digit = str(1 + (int(number[at]) + int(draw[1] * 8)) % 9)
    return number[:at] + digit + number[at + 1 :]


def nickname(name: str, draw: np.ndarray) -> str:
    """What people call someone of this forename; the name itself when the table has none."""
    options = tables()["nicknames"].get(name)
    return _choose(options, draw[0]) if options else name
