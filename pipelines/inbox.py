"""What lies in the landing folder, and which of it no run has taken yet; cheap enough to ask every minute.

Only intake decides what is taken in (by the content of files); this is the question whether there is anything to do.
"""

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from pipelines.settings import DataFolder

TAKEN = "taken.json"
MANIFEST = "manifest.json"  # written last: a delivery with one is whole
#: What the folder of a delivery is called: its extract date, and the number of a correction.
DELIVERY_NAME = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Waiting:
    """Deliveries that no run has taken, by signature; false when there are none.

    `not_due` counts those that a run would leave where they are: still being written, or dated after today. `days` are
    the extract dates of the others.
    """

    signatures: frozenset[str]
    not_due: int = 0
    days: frozenset[date] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.signatures)

    @property
    def mark(self) -> str:
        return hashlib.sha256("".join(sorted(self.signatures)).encode()).hexdigest()[:16]


def signatures(folder: Path) -> frozenset[str]:
    """One signature for each delivery below a folder: of its manifest, or of names, sizes and times without one."""
    found = set()
    by_folder: dict[Path, list[Path]] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            by_folder.setdefault(path.parent, []).append(path)
    for place, files in by_folder.items():
        manifest = place / MANIFEST
        if manifest in files and os.access(manifest, os.R_OK):
            text = manifest.read_bytes()
        else:
            text = os.fsencode("\n".join(f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in files))
        found.add(hashlib.sha256(os.fsencode(place.name) + b"\0" + text).hexdigest())
    return frozenset(found)


def taken(folder: DataFolder) -> frozenset[str]:
    """Signatures that committed runs have taken or refused."""
    try:
        return frozenset(json.loads((folder.root / TAKEN).read_text()))
    except (FileNotFoundError, ValueError):  # lost or damaged: intake looks at each delivery again
        return frozenset()


def untaken(folder: DataFolder, landing: Path, sources: Path, today: date) -> Waiting:
    """Deliveries to the sources of that set of contracts; what else lies about starts no run."""
    done, waiting, not_due, days = taken(folder), set[str](), 0, set[date]()
    for contract in sources.glob("*/contract.yaml"):
        home = landing / contract.parent.name
        for delivery in _within(home) if home.is_dir() else []:
            if not DELIVERY_NAME.fullmatch(delivery.name):
                continue
            if not (new := signatures(delivery) - done):
                continue
            if delivery.name[:10] > today.isoformat() or not _whole(delivery, contract):
                not_due += 1
            else:
                waiting |= new
                with suppress(ValueError):  # a day that doesn't exist: intake refuses it
                    days.add(date.fromisoformat(delivery.name[:10]))
    return Waiting(frozenset(waiting), not_due, frozenset(days))


def _whole(delivery: Path, contract: Path) -> bool:
    """Whether the delivery has the manifest that its contract asks for; a contract that can't be read is a run's to
    judge."""
    if (delivery / MANIFEST).is_file():
        return True
    try:
        stated = yaml.safe_load(contract.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return True
    return not (isinstance(stated, dict) and stated.get("control") == "manifest")


def _within(home: Path) -> list[Path]:
    """What lies in a folder; nothing where it may not be read (intake says so)."""
    return sorted(home.iterdir()) if os.access(home, os.R_OK | os.X_OK) else []
