"""A tiny source, a lending library, whose extracts the tests spoil in every way."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pipelines.sources.contract_files import load_contract
from pipelines.sources.contracts import Contract


def head(name: str, title: str, description: str) -> str:
    """What a made-up contract says before its tables."""
    return f"""\
name: {name}
title: {title}
system: Made up
level: person
owner: Libraries
steward: library@example.org
description: {description}
retention_days: 365
refresh_days: 31
control: manifest
date_format: "%d/%m/%Y"
purposes:
  data_quality: {{basis: public task, expires: 2030-01-01}}
"""


CONTRACT = (
    head("library", "Lending library", "Borrowers and what they borrowed.")
    + """\
tables:
  - name: borrower
    file: borrower.csv
    grain: one borrower
    why: who borrows
    key: [card]
    slot: {key: card, name: [name], birth_date: born}
    columns:
      - {name: Card No, as: card, personal: identifier}
      - {name: name, personal: name}
      - {name: born, type: date, personal: birth_date}
      - {name: visits, type: integer, personal: none}
  - name: loan
    file: loan.csv
    grain: one loan
    why: what is borrowed
    key: [loan]
    may_be_empty: true
    columns:
      - {name: loan, personal: identifier}
      - {name: card, personal: identifier, required: true}
      - {name: since, type: date, personal: none}
"""
)
BORROWERS = "Card No,name,born,visits\n1,ANNE CANARY,01/02/1980,3\n2,BEN CANARY,31/12/1999,0\n"
LOANS = "loan,card,since\nL1,1,01/10/2026\n"
DAY = date(2026, 10, 31)


def make_contract(folder: Path, text: str = CONTRACT, name: str = "library") -> Contract:
    home = folder / "sources" / name
    home.mkdir(parents=True, exist_ok=True)
    (home / "contract.yaml").write_text(text, encoding="utf-8")
    return load_contract(home / "contract.yaml")


def deliver(
    landing: Path,
    files: Mapping[str, bytes | str],
    day: date = DAY,
    suffix: str = "",
    rows: Mapping[str, int] | None = None,
    manifest: bool = True,
    source: str = "library",
) -> Path:
    """Write a delivery with its manifest, as a careful sender would."""
    folder = landing / source / f"{day}{suffix}"
    folder.mkdir(parents=True)
    entries = []
    for name, text in files.items():
        content = text.encode() if isinstance(text, str) else text
        (folder / name).write_bytes(content)
        counted = max(content.count(b"\n") - 1, 0) if rows is None else rows[name]
        digest = hashlib.sha256(content).hexdigest()
        entries.append({"name": name, "rows": counted, "sha256": digest, "bytes": len(content)})
    if manifest:
        stated = {"source": source, "extract_date": str(day), "synthetic": True, "files": entries}
        (folder / "manifest.json").write_text(json.dumps(stated))
    return folder


def both(borrowers: str | bytes = BORROWERS, loans: str | bytes = LOANS) -> dict[str, str | bytes]:
    return {"borrower.csv": borrowers, "loan.csv": loans}
