"""The sealed files of a release, opened each exactly as it was built."""

import hashlib
import io
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.operations import Operations
from pipelines.releases.sets import ReleaseRefused
from pipelines.releases.store import Release, key_of, unseal
from pipelines.settings import DataFolder


def place_of(folder: DataFolder, manifest: dict[str, Any]) -> Path:
    """Where the sealed files of a release lie."""
    return folder.releases / str(manifest["purpose"]) / str(manifest["release_id"])


def contents_of(folder: DataFolder, operations: Operations, release: Release) -> dict[str, bytes]:
    """The files of a release, each exactly as it was built. Raises ReleaseRefused."""
    key = key_of(operations, str(release.manifest["seal"]))
    place = place_of(folder, release.manifest)
    found = {}
    for file in release.manifest["files"]:
        path = place / f"{file['name']}.sealed"
        if not path.is_file():
            raise ReleaseRefused(f"{path} is gone: build the release again.")
        content = unseal(key, path.read_bytes(), f"{release.release_id}/{file['name']}")
        if hashlib.sha256(content).hexdigest() != file["sha256"]:
            raise ReleaseRefused(f"{file['name']} is not the file of the manifest.")
        found[str(file["name"])] = content
    return found


def rows_of(folder: DataFolder, operations: Operations, release: Release) -> pl.DataFrame:
    """The rows of a release as it was built. Raises ReleaseRefused."""
    name = f"{release.manifest['release']}.parquet"
    return pl.read_parquet(io.BytesIO(contents_of(folder, operations, release)[name]))
