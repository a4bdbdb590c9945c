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
SURNAMES = [f"Qzvex{letter}ward" for letter in "abcdefghijklmnopqrst"]


def plant(landing: Path, each: int) -> list[str]:
    """Give the bearers of twenty surnames recognisable ones in every extract; return all that must not be found.

    Beside the surnames: numbers, phones, e-mails and postcodes of `each` people a column, as the extracts hold them.
    """
    members = list(csv.DictReader((next(landing.glob("benefits/*/hbmember.csv"))).open(encoding="utf-8")))
    common = sorted({row["surname"] for row in members if len(row["surname"]) > 4}, key=str.lower)
    chosen = common[:: max(len(common) // len(SURNAMES), 1)][: len(SURNAMES)]
    swaps = list(zip(chosen, SURNAMES, strict=False))
    for path in sorted(landing.rglob("*.csv")):
        if path.parts[-3] == "llpg":
            continue
        text = path.read_bytes().decode("latin-1")
        for old, new in swaps:
            text = text.replace(old, new).replace(old.upper(), new.upper())
        path.write_bytes(text.encode("latin-1"))
    for manifest in landing.rglob("manifest.json"):
        said = json.loads(manifest.read_text())
        for file in said["files"]:
            content = (manifest.parent / file["name"]).read_bytes()
            file["sha256"], file["bytes"] = hashlib.sha256(content).hexdigest(), len(content)
        manifest.write_text(json.dumps(said))
    return [new for _, new in swaps] + _particulars(landing, each)


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
