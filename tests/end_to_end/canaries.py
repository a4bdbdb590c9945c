"""Planting people who can be recognised, and searching every byte that a run leaves for them."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path

from pipelines.custody.scanning import listed, scan

#: Where identity lies by design: the fraud team's export, and what the council landed itself.
EXCEPTIONS = tuple(listed(Path(__file__).with_name("scan_exceptions.txt")))
_LETTERS = "abcdefghijklmnopqrst"
_NAME_COLUMNS = {
    "benefits/*/hbmember.csv": "surname",
    "housing/*/member.csv": "surname",
    "adult_social_care/*/persons.csv": "LAST_NAME",
    "schools/*/pupil.csv": "surname",
    "right_to_buy/*/rtb.csv": "surname",
}
#: Sources that are about places or areas, or know people by a number alone.
NAMELESS = {"caretrak", "children_social_care", "core_lettings", "llpg", "mortality", "population"}


def plant(landing: Path, people: int, each: int) -> tuple[list[str], list[str]]:
    """Give the bearers of so many surnames recognisable ones in every extract that names people.

    Returns these, and the numbers, phones, e-mails and postcodes of `each` people a column, as the extracts hold them.
    """
    texts = {
        path: path.read_bytes().decode("latin-1")
        for path in sorted(landing.rglob("*"))
        if path.suffix in (".csv", ".xml") and path.parts[-3] != "llpg"
    }
    swaps = dict(zip(_surnames(landing, texts)[:people], _invented(), strict=False))
    assert len(swaps) == people
    words = re.compile(rf"\b(?:{'|'.join(swaps)})\b", re.I)
    for path, text in texts.items():
        path.write_bytes(words.sub(lambda hit: _like(swaps[hit[0].lower()], hit[0]), text).encode("latin-1"))
    for manifest in landing.rglob("manifest.json"):
        said = json.loads(manifest.read_text())
        for file in said["files"]:
            content = (manifest.parent / file["name"]).read_bytes()
            file["sha256"], file["bytes"] = hashlib.sha256(content).hexdigest(), len(content)
        manifest.write_text(json.dumps(said))
    return sorted(swaps.values()), _particulars(landing, each)


def _surnames(landing: Path, texts: dict[Path, str]) -> list[str]:
    """Surnames in small letters that are no word of an address; one of each source first, then those in the most."""
    found: set[str] = set()
    for pattern, column in _NAME_COLUMNS.items():
        for path in landing.glob(pattern):
            rows = csv.DictReader(io.StringIO(path.read_bytes().decode("latin-1")))
            found |= {row[column].strip().lower() for row in rows}
    streets = {
        w for path in landing.glob("llpg/*/*.csv") for w in re.findall(r"\w+", path.read_text("latin-1").lower())
    }
    plain = {name for name in found if name.isascii() and name.isalpha() and len(name) > 4} - streets
    sources = {name: set() for name in plain}
    for path, text in texts.items():
        for name in plain.intersection(re.findall(r"\w+", text.lower())):
            sources[name].add(path.parts[-3])
    ranked = sorted(plain, key=lambda name: (-len(sources[name]), name))
    one_each = [next(name for name in ranked if source in sources[name]) for source in set().union(*sources.values())]
    return list(dict.fromkeys([*sorted(one_each), *ranked]))


def _invented() -> Iterable[str]:
    return (f"Qzvex{first}{second}ward" for first in _LETTERS for second in _LETTERS)


def _like(name: str, written: str) -> str:
    return name.upper() if written.isupper() else name.lower() if written.islower() else name


#: Where each system flags the people it protects: the file, its key, surname, birth date and flag, and what is no flag.
FLAGGED = {
    "housing": ("member.csv", ("house_ref", "person_no"), "surname", "dob", ("marker",), ""),
    "benefits": ("hbmember.csv", ("claim_id", "person_ref"), "surname", "birth_date", ("special_ind",), ""),
    "adult_social_care": ("persons.csv", ("PERSON_ID",), "LAST_NAME", "DATE_OF_BIRTH", ("RESTRICTED",), "N"),
    "schools": ("pupil.csv", ("pupilid",), "surname", "dob", ("adoptedfromcare", "restricted"), "N"),
}


def plant_protected(landing: Path) -> tuple[list[str], list[str]]:
    """Give every flagged person a surname that can be recognised, the same for the same birth date, and every refuge an
    address; return these, and the ids of the flagged records."""
    planted, records = set(), set()
    for source, (name, key, surname, born, flags, plain) in FLAGGED.items():
        for path in landing.glob(f"{source}/*/{name}"):
            rows = list(csv.DictReader(path.open(encoding="utf-8")))
            for row in rows:
                if all(row[flag] == plain for flag in flags):
                    continue
                day = re.sub(r"^(\d\d)/(\d\d)/(\d{4})", r"\3-\2-\1", row[born])[:10]
                row[surname] = "Qzprot" + "".join("abcdefghij"[int(digit)] for digit in day if digit.isdigit())
                planted.add(row[surname])
                before = "pupil/" if source == "schools" else ""
                records.add(f"{source}:{before}{'/'.join(row[part] for part in key)}#1")
            _write(path, rows)
    for path in landing.glob("adult_social_care/*/addresses.csv"):
        rows = list(csv.DictReader(path.open(encoding="utf-8")))
        for row in rows:
            if row["ADDRESS_TYPE"] == "Refuge":
                row["ADDRESS"] = "Qzrefuge Lodge, " + row["ADDRESS"]
        _write(path, rows)
    return [*sorted(planted), "Qzrefuge Lodge"], sorted(records)


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _particulars(landing: Path, each: int) -> list[str]:
    found: list[str] = []
    for pattern, columns in {
        "benefits/*/hbmember.csv": ("nino",),
        "housing/*/member.csv": ("ni_no", "phone", "email"),
        "adult_social_care/*/cld.csv": ("NHS Number",),
        "council_tax/*/ctliable.csv": ("liab_name",),
        "electoral_register/*/register.csv": ("property_urn", "property_post_code"),
    }.items():
        rows = csv.DictReader(io.StringIO(next(landing.glob(pattern)).read_bytes().decode("latin-1")))
        for column in columns:
            rows_of = [row[column].strip() for row in rows] if len(columns) == 1 else None
            if rows_of is None:
                rows = list(rows)
                rows_of = [(row[column] or "").strip() for row in rows]
            found += sorted({value for value in rows_of if len(value) >= 7})[:each]
    return found


def search(folder: Path, values: Iterable[str], exceptions: tuple[str, ...] = EXCEPTIONS) -> dict[str, int]:
    """Files below a folder in which any form of any value stands, with how many values (never which)."""
    found = scan(folder, values, exceptions, patterns=False)
    assert not found.closed
    return {name: kinds["canary"] for name, kinds in found.hits.items()}
