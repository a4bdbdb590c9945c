"""A person's records as a reviewer reads them, and how they differ: character by character where they are alike."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from pipelines.warehouse import Warehouse

#: From this similarity two values are one value with slips, and the slips are marked; below, the whole value is.
ALIKE = 0.7
COLUMNS = (
    "record_id", "source", "role", "title", "forename", "middle", "surname", "former_surname", "birth_date",
    "birth_year", "weak_birth_date", "sex", "nino", "nhs_number", "phone", "email", "birth_place", "occupation",
    "death_date", "sensitivity", "fingerprint", "uprn", "postcode", "address_line", "from_date", "to_date",
    "one_person_key", "last_begun",
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
    ("phone", "Phone"),
    ("email", "Email"),
    ("birth_place", "Place of birth"),
    ("died", "Died"),
)
#: Not compared: two stays differ as a matter of course.
TOLD_ONLY = frozenset({"stay"})
#: Shown by their last signs only, but compared whole.
NUMBERS = frozenset({"nino", "nhs"})


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


def load_records(wh: Warehouse, placed: Sequence[tuple[str, str, str]]) -> list[Record]:
    """The records of (record_id, person_id, side), in that order."""
    if not placed:
        return []
    marks = ", ".join("?" * len(placed))
    names = [name for name in COLUMNS if name in wh.columns("published.people.record")]
    rows = wh.rows(
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


def _values(raw: dict[str, Any]) -> dict[str, str]:
    def said(name: str) -> str:
        return str(raw.get(name) or "").strip()

    born = raw.get("birth_date")
    if born and raw.get("weak_birth_date"):
        birth = f"{born.year}, day not known"
    else:
        birth = day(born) or said("birth_year")
    address = ", ".join(part for part in (said("address_line"), _postcode(said("postcode"))) if part)
    stay = f"from {day(raw.get('from_date')) or 'an unknown day'}"
    stay += f" to {day(raw['to_date'])}" if raw.get("to_date") else ", still there"
    return {
        "name": " ".join(part for part in (said("title"), said("forename"), said("middle"), said("surname")) if part),
        "former": said("former_surname"),
        "born": birth,
        "sex": {"M": "male", "F": "female"}.get(said("sex"), said("sex")),
        "address": address,
        "stay": stay if address else "",
        "nino": said("nino"),
        "nhs": said("nhs_number"),
        "phone": said("phone"),
        "email": said("email").lower(),
        "birth_place": said("birth_place"),
        "died": day(raw.get("death_date")),
    }


def day(value: date | None) -> str:
    """`3 March 1961`; empty for none."""
    return f"{value.day} {value:%B %Y}" if value else ""


def _postcode(text: str) -> str:
    return f"{text[:-3]} {text[-3:]}" if len(text) >= 5 and " " not in text else text


def masked(name: str, text: str) -> str:
    """A number by its last three signs: enough to tell two apart."""
    return f"{'•' * max(len(text) - 3, 0)}{text[-3:]}" if name in NUMBERS and text else text


def compared(name: str, value: str, against: str) -> Cell:
    """A value held against another."""
    shown = masked(name, value)
    if not value:
        return Cell("missing", ())
    if name in TOLD_ONLY or not against:
        return Cell("told", (Part(shown, False),))
    if value.casefold() == against.casefold():
        return Cell("same", (Part(shown, False),))
    if name in NUMBERS:
        near = similarity(value, against) >= ALIKE
        return Cell("near" if near else "differs", (Part(shown, True),))
    if name == "address":
        return _tokens(value, against)
    if similarity(value, against) < ALIKE:
        return Cell("differs", (Part(shown, True),))
    return Cell("near", _pieces(value, against))


def similarity(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold()[:400], other.casefold()[:400], autojunk=False).ratio()


def _pieces(value: str, against: str) -> tuple[Part, ...]:
    matcher = SequenceMatcher(None, against.casefold()[:400], value.casefold()[:400], autojunk=False)
    parts: list[Part] = []
    for kind, from_there, to_there, start, end in matcher.get_opcodes():
        if end > start:
            parts.append(Part(value[start:end], kind != "equal"))
        elif kind == "delete" and against[from_there:to_there].strip():
            parts.append(Part("‸", True))  # something is left out here
    return tuple(parts)


def _tokens(value: str, against: str) -> Cell:
    """An address word by word: letters of two unlike addresses agree by chance."""
    known = {word.strip(",").casefold() for word in against.split()}
    words = value.split()
    parts = tuple(
        Part(word + (" " if place < len(words) - 1 else ""), word.strip(",").casefold() not in known)
        for place, word in enumerate(words)
    )
    shared = sum(not part.differs for part in parts) / max(len(parts), 1)
    if shared == 1 and len(words) == len(against.split()):
        return Cell("same", (Part(value, False),))
    return Cell("near", parts) if shared >= 0.5 else Cell("differs", (Part(value, True),))
