"""Where answers about people by name lie, and for how long: sealed for one reader, and swept after their days."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.settings import DataFolder, now, write_atomically

DAYS = 7
FOLDER = "revealed"


def keep(folder: DataFolder, request_id: str, sealed: bytes) -> Path:
    """Put an answer in its place; returns where it is."""
    place = folder.root / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    path = place / f"{request_id}.age"
    write_atomically(path, sealed)
    return path


def sweep(folder: DataFolder, at: datetime | None = None) -> int:
    """Remove answers that are older than their days; returns how many went."""
    swept, oldest = 0, ((at or now()) - timedelta(days=DAYS)).timestamp()
    for path in (folder.root / FOLDER).glob("*.age"):
        if path.stat().st_mtime < oldest:
            with path.open("r+b") as handle:  # what a copy-on-write disk keeps of it is sealed all the same
                handle.write(os.urandom(path.stat().st_size))
            path.unlink()
            swept += 1
    return swept
