"""A person's records as a reviewer reads them, and how they differ: character by character where they are alike."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from review_app.published import Snapshot

#: From this similarity two values are one value with slips, and the slips are marked; below, the whole value is.
ALIKE = 0.7
COLUMNS = (
    "record_id", "source", "role", "title", "forename", "middle", "surname", "former_surname", "birth_date",
    "birth_year", "weak_birth_date", "sex", "nino", "nhs_number", "person_number", "phone", "email", "birth_place",
    "occupation", "death_date", "sensitivity", "fingerprint", "uprn", "postcode", "address_line", "from_date",
    "to_date", "one_person_key", "last_begun",
)  # fmt: skip
#: What is compared, in the order in which a reviewer reads it.
FIELDS = (
    ("name", "Name"),
    ("former", "Former surname"),
    ("born", "Born"),
    ("sex", "Sex"),
    ("address", "Address"),
    ("stay", "There"),
    ("nino", "National Insurance"),
    ("nhs", "NHS number"),
    ("number", "Number"),
    ("phone", "Phone"),
    ("email", "Email"),
    ("birth_place", "Place of birth"),
    ("died", "Died"),
)
#: Up to so many records stand side by side; more are rows.
COLUMNS_SHOWN = 4
#: Not compared: two stays differ as a matter of course.
TOLD_ONLY = frozenset({"stay"})
#: Shown by their last signs only, but compared whole.
NUMBERS = frozenset({"nino", "nhs", "number"})


@dataclass(frozen=True)
class Part:
    """A piece of a value; `differs` where the other value has something else there."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Cell:
    """A value beside the one it is held against: `state` is same, near, differs, missing or told."""

    state: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True)
class Record:
    """A record as it is shown; `values` are texts by field, empty where the source holds nothing."""

    record_id: str
    source: str
    role: str
    person_id: str
    side: str
    sensitivity: str | None
    values: dict[str, str]
    raw: dict[str, Any] = field(repr=False, default_factory=dict)

    @property
    def system(self) -> str:
        return self.source.replace("_", " ").capitalize()

    @property
    def key(self) -> str:
        return self.record_id.split(":", 1)[-1]


def load_records(snapshot: Snapshot, placed: Sequence[tuple[str, str, str]]) -> list[Record]:
    """The records of (record_id, person_id, side), in that order."""
    if not placed:
        return []
    marks = ", ".join("?" * len(placed))
    held = snapshot.columns("published.people.record")
    names = [name for name in COLUMNS if name in held]
    rows = snapshot.wh.rows(
        f"SELECT {', '.join(names)} FROM published.people.record WHERE record_id IN ({marks})",
        [record_id for record_id, _, _ in placed],
    )
    found = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    return [
        Record(
            record_id,
            raw["source"],
            (raw.get("role") or "").replace("_", " "),
            person_id,
            side,
            raw.get("sensitivity"),
            _values(raw),
            raw,
        )
        for record_id, person_id, side in placed
        if (raw := found.get(record_id))
    ]


def laid_out(records: Sequence[Record]) -> list[Record]:
    """In the order of the page: a few side by side, the two of the question first; more as rows, a side at a time."""
    return list(records) if len(records) <= COLUMNS_SHOWN else sorted(records, key=lambda record: record.side)


def anchors(records: Sequence[Record]) -> dict[str, Record]:
    """Field -> the record that the others are held against: the first that holds anything there."""
    return {
        name: next((record for record in records if record.values[name]), records[0]) for name, _ in FIELDS if records
    }


def _values(raw: dict[str, Any]) -> dict[str, str]:
    def said(name: str) -> str:
        return str(raw.get(name) or "").strip()

    born = raw.get("birth_date")
    day_unknown = born and raw.get("weak_birth_date")
    birth = f"{born.year}, day not known" if born and day_unknown else day(born) or said("birth_year")
    address = ", ".join(part for part in (cased(said("address_line")), _postcode(said("postcode"))) if part)
    stay = f"from {day(raw.get('from_date')) or 'an unknown day'}"
    stay += f" to {day(raw['to_date'])}" if raw.get("to_date") else ", still there"
    return {
        "name": cased(" ".join(part for part in (said("forename"), said("middle"), said("surname")) if part)),
        "former": cased(said("former_surname")),
        "born": birth,
        "sex": {"M": "male", "F": "female"}.get(said("sex"), said("sex")),
        "address": address,
        "stay": stay if address else "",
        "nino": said("nino"),
        "nhs": said("nhs_number"),
        "number": said("person_number"),
        "phone": said("phone"),
        "email": said("email").lower(),
        "birth_place": cased(said("birth_place")),
        "died": day(raw.get("death_date")),
    }


def day(value: date | None) -> str:
    """`3 March 1961`; empty for none."""
    return f"{value.day} {value:%B %Y}" if value else ""


_YEAR = re.compile(r"\b\d{4}\b")
_WORD = re.compile(r"[^\W\d_]+")


def cased(text: str) -> str:
    """Words as people write them: systems shout."""
    return _WORD.sub(lambda word: word.group().capitalize(), text) if text.isupper() else text


def _postcode(text: str) -> str:
    return f"{text[:-3]} {text[-3:]}" if len(text) >= 5 and " " not in text else text


def masked(name: str, text: str) -> str:
    """A number by its last three signs: enough to tell two apart."""
    return f"{'•' * max(len(text) - 3, 0)}{text[-3:]}" if name in NUMBERS and text else text


@lru_cache(4096)
def compared(name: str, value: str, against: str, same_home: bool = False) -> Cell:
    """A value held against another. `same_home`: both addresses stand for one property, however they are written."""
    shown = masked(name, value)
    if not value:
        return Cell("missing", ())
    if name in TOLD_ONLY or not against:
        return Cell("told", (Part(shown, False),))
    if value.casefold() == against.casefold() or (name == "address" and same_home):
        return Cell("same", (Part(shown, False),))
    if name in NUMBERS:
        near = similarity(value, against) >= ALIKE
        return Cell("near" if near else "differs", (Part(shown, True),))
    match name:
        case "sex":
            return Cell("differs", (Part(shown, True),))
        case "born" | "died":
            return _dates(value, against)
        case "address":
            return _words(value, against, alike=1.0, enough=0.5)
        case "name":
            return _words(value, against, alike=ALIKE, enough=0.5)
        case _ if similarity(value, against) < ALIKE:
            return Cell("differs", (Part(shown, True),))
        case _:
            return Cell("near", _signs(value, against))


@lru_cache(8192)
def similarity(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold()[:400], other.casefold()[:400], autojunk=False).ratio()


def _signs(value: str, against: str) -> tuple[Part, ...]:
    """Sign by sign: what the other value does not have, and where it has something more."""
    matcher = SequenceMatcher(None, against.casefold()[:400], value.casefold()[:400], autojunk=False)
    parts: list[Part] = []
    for kind, from_there, to_there, start, end in matcher.get_opcodes():
        if end > start:
            parts.append(Part(value[start:end], kind != "equal"))
        elif kind == "delete" and against[from_there:to_there].strip():
            parts.append(Part("‸", True))  # something is left out here
    return (*parts, Part(value[400:], False)) if len(value) > 400 else tuple(parts)


def _words(value: str, against: str, alike: float, enough: float) -> Cell:
    """Word by word, whatever their order: each against the word of the other that is most like it. Letters of two
    unlike words agree by chance; so only words that are `alike` are marked sign by sign."""
    words, others = value.split()[:60], against.split()[:60]
    known = {word.strip(",").casefold() for word in others}
    parts: list[Part] = []
    agreeing = 0.0
    for place, word in enumerate(words):
        gap = " " if place < len(words) - 1 else ""
        best = max(others, key=lambda other: similarity(word, other), default="")
        if word.strip(",").casefold() in known:
            parts.append(Part(word + gap, False))
            agreeing += 1
        elif similarity(word, best) >= alike:
            parts += [*_signs(word, best), Part(gap, False)]
            agreeing += similarity(word, best)
        else:
            parts += [Part(word, True), Part(gap, False)]
    if agreeing < enough * max(len(words), 1):
        return Cell("differs", (Part(value, True),))
    return Cell("near", tuple(parts))


def _dates(value: str, against: str) -> Cell:
    """Day, month and year by themselves: one slip is close, more is another day."""
    words, others = value.split(), against.split()
    if len(words) != 3 or len(others) != 3:  # of one no more than the year is known
        year = set(_YEAR.findall(value)) == set(_YEAR.findall(against))
        return Cell("near" if year else "differs", (Part(value, not year),))
    parts = []
    for place, (word, other) in enumerate(zip(words, others, strict=True)):
        parts += [Part(word, word != other), Part(" " if place < 2 else "", False)]
    slips = sum(part.differs for part in parts)
    return Cell("near", tuple(parts)) if slips == 1 else Cell("differs", (Part(value, True),))
