"""What lies in the landing folder, and which of it no run has taken yet; cheap enough to ask every minute.

Only intake decides what is taken in (by the content of files); this is the question whether there is anything to do.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pipelines.settings import DataFolder

TAKEN = "taken.json"


@dataclass(frozen=True)
class Waiting:
    """Deliveries that no run has taken, by signature; false when there are none."""

    signatures: frozenset[str]

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
        manifest = place / "manifest.json"
        if manifest in files:
            text = manifest.read_bytes()
        else:
            text = "\n".join(f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in files).encode()
        found.add(hashlib.sha256(str(place.name).encode() + b"\0" + text).hexdigest())
    return frozenset(found)


def taken(folder: DataFolder) -> frozenset[str]:
    """Signatures that committed runs have taken or refused."""
    try:
        return frozenset(json.loads((folder.root / TAKEN).read_text()))
    except FileNotFoundError:
        return frozenset()


def untaken(folder: DataFolder, landing: Path) -> Waiting:
    return Waiting(signatures(landing) - taken(folder))
