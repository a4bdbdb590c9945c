"""Finds deliveries in the landing folder and checks them against their manifest before any row is read.

A delivery is `<landing>/<source>/<YYYY-MM-DD>/`; a correction of the same day may stand beside it as `<YYYY-MM-DD>.2`.
Nothing in the landing folder is ever changed here.
"""

import fnmatch
import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.faults import plural
from pipelines.inbox import DELIVERY_NAME, MANIFEST
from pipelines.sources.contracts import Contract, Table
from pipelines.sources.file_faults import FileRefused, Inspected, inspect

_MANIFEST_LIMIT = 1 << 20
Supply = Literal["full", "changes"]


class NotYet(Exception):
    """A delivery that is still being written, or dated after the day of the run: left for the next run."""


class ManifestFile(BaseModel):
    """What the sender says about one file; `rows` are data rows (all lines of a mixed file, the
    rows of all its tables for XML and workbooks)."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    name: str
    rows: int
    sha256: str
    bytes: int


class Manifest(BaseModel):
    """The sender's control list, written last. With `confirmed` the sender answers for what looks odd of the whole: far
    more or fewer rows than last time, or the very files of an older extract."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    source: str
    extract_date: date
    synthetic: bool = False
    confirmed: bool = False
    supply: Supply = "full"
    files: tuple[ManifestFile, ...]


@dataclass(frozen=True)
class Delivery:
    """The files of one source at one extract date, inspected, each with the tables that it holds.

    `contract` is the source's as it holds for this delivery: of its layout and its day.
    """

    source: str
    contract: Contract
    extract_date: date
    folder: Path
    files: tuple[tuple[Inspected, tuple[Table, ...]], ...]
    manifest: Manifest | None
    notes: tuple[str, ...]

    @property
    def supply(self) -> Supply:
        """Whether it shows every row or only what changed."""
        return self.manifest.supply if self.manifest else "full"

    @property
    def fingerprint(self) -> frozenset[str]:
        """What makes a delivery the same as another: the hashes of its files."""
        return frozenset(file.sha256 for file, _ in self.files)

    @property
    def confirmed(self) -> bool:
        return bool(self.manifest and self.manifest.confirmed)

    def rows_announced(self, file: Inspected) -> int | None:
        entries = self.manifest.files if self.manifest else ()
        return next((entry.rows for entry in entries if entry.name == file.name), None)


def delivery_folders(contract: Contract, landing: Path) -> list[Path]:
    """Dated folders of a source, oldest extract first. Raises FileRefused for a symbolic link on the way."""
    home = landing / contract.name
    if home.is_symlink():
        raise FileRefused(contract.name, "the source's landing folder is a symbolic link; put the files there")
    if not home.is_dir():
        return []
    return sorted((path for path in home.iterdir() if DELIVERY_NAME.fullmatch(path.name)), key=_in_order)


def open_delivery(contract: Contract, folder: Path, as_of: date, announced: Supply | None = None) -> Delivery:
    """Inspect the files of a dated folder. With `announced` no manifest is asked for: that is what one would say.

    Raises NotYet while it isn't complete, FileRefused when a file of it, or the list of files, can't be right.
    """
    here = f"{contract.name}/{folder.name}"
    if folder.is_symlink() or not folder.is_dir():
        raise FileRefused(here, "is no plain folder (symbolic links are refused)")
    extract_date = dated(folder)
    if extract_date is None:
        raise FileRefused(here, "is named after a day that doesn't exist; name it YYYY-MM-DD")
    if extract_date > as_of:
        raise NotYet(f"{here} is dated after {as_of:%d %B %Y}, the day of this run")
    manifest = _manifest(contract, folder, here) if announced is None else None
    if manifest is not None and (manifest.source, manifest.extract_date) != (contract.name, extract_date):
        raise FileRefused(f"{here}/{MANIFEST}", "names another source or extract date than its folder does")
    files, notes = [], []
    present = sorted(path for path in folder.iterdir() if path.name != MANIFEST and not path.name.startswith("."))
    taken: set[str] = set()
    if "changes" in (announced, manifest and manifest.supply):
        contract = _with_changes(contract, present, here)
    contract = contract.as_delivered(extract_date, _layout(contract, present, here))
    for pattern in dict.fromkeys(table.file for table in contract.tables):
        tables = tuple(table for table in contract.tables if table.file == pattern)
        matches = _matching(present, pattern)
        if not matches:
            other = any(fnmatch.fnmatchcase(_folded(path), pattern.casefold()) for path in present)
            hint = " (a name in other capitals is there)" if other else ""
            raise FileRefused(f"{here}/{pattern}", f"is missing from the delivery{hint}; ask for the whole extract")
        same = [path for path in present if matches and _folded(path) == _folded(matches[0])]
        if len(same) > 1:
            said = f"comes {len(same)} times, in names that differ only in case or accents; only one may be there"
            raise FileRefused(f"{here}/{matches[0].name}", said)
        if len(matches) > 1:
            raise FileRefused(f"{here}/{pattern}", f"stands for {len(matches)} files; only one may be there")
        files.append((inspect(matches[0], contract.encoding, tables[0].format), tables))
        taken.add(matches[0].name)
    if extra := [path for path in present if path.name not in taken]:
        notes.append(f"left alone: {plural(len(extra), 'file')} that the contract doesn't name")
    if manifest is not None:
        _hold_against(manifest, [file for file, _ in files], here, {path.name for path in present})
    return Delivery(contract.name, contract, extract_date, folder, tuple(files), manifest, tuple(notes))


def _with_changes(contract: Contract, present: list[Path], here: str) -> Contract:
    """The contract as it holds for a delivery of changes: files that know no changes need not come, few rows or none
    are enough, and what they refer to may have come before."""
    changing = {table.file for table in contract.tables if table.changes}
    if not changing:
        said = "says that only changes are there, but the contract takes full extracts: ask for one"
        raise FileRefused(f"{here}/{MANIFEST}", said)
    tables = tuple(_loose(t) for t in contract.tables if t.file in changing or _matching(present, t.file))
    left = {table.name for table in tables}
    layouts = {name: tuple(t for t in names if t in left) for name, names in contract.layouts.items()}
    return contract.model_copy(update={"tables": tables, "layouts": layouts, "checks": ()})


def _loose(table: Table) -> Table:
    alone = {"references": None, "min_fill": None}
    columns = tuple(column.model_copy(update=alone) for column in table.columns)
    return table.model_copy(update={"may_be_empty": True, "min_rows": None, "columns": columns})


def _matching(present: Iterable[Path], pattern: str) -> list[Path]:
    return [path for path in present if fnmatch.fnmatchcase(path.name, pattern)]


def _folded(path: Path) -> str:
    """A name as a file system that knows no case would hold it."""
    return unicodedata.normalize("NFKC", path.name).casefold()


def _layout(contract: Contract, present: list[Path], here: str) -> str | None:
    """The one layout of which every file is there; of two, the one that has all the other's files and more."""
    if not contract.layouts:
        return None
    files = {name: {table.file for table in contract.of_layout(name)} for name in contract.layouts}
    lacking = {
        name: [pattern for pattern in sorted(wanted) if not _matching(present, pattern)]
        for name, wanted in files.items()
    }
    whole = [name for name in files if not lacking[name]]
    widest = [name for name in whole if all(files[name] >= files[other] for other in whole)]
    if not whole:
        said = "; ".join(f"for `{name}` it lacks {', '.join(missing)}" for name, missing in lacking.items())
        raise FileRefused(here, f"matches no layout of the contract ({said}); ask for the whole extract")
    if len(widest) != 1:
        raise FileRefused(here, f"has the files of several layouts ({', '.join(whole)}); only one may be there")
    return widest[0]


def _in_order(folder: Path) -> tuple[str, int]:
    """The date, then the number of the correction: .10 comes after .2."""
    day, _, correction = folder.name.partition(".")
    return day, int(correction or 0)


def dated(folder: Path) -> date | None:
    """The extract date that a folder's name states; None if there is no such day."""
    match = DELIVERY_NAME.fullmatch(folder.name)
    try:
        return date.fromisoformat(match.group(1)) if match else None
    except ValueError:
        return None


def _manifest(contract: Contract, folder: Path, here: str) -> Manifest | None:
    path = folder / MANIFEST
    if not path.is_file() or path.is_symlink():
        if contract.control == "manifest":
            raise NotYet(f"{here} has no {MANIFEST} yet: the delivery isn't complete")
        return None
    if path.stat().st_size > _MANIFEST_LIMIT:
        raise FileRefused(f"{here}/{MANIFEST}", "is far too large to be a list of files")
    try:
        stated: Any = json.loads(path.read_bytes())
        return Manifest.model_validate(stated)
    except ValidationError as fault:
        where = ".".join(str(part) for part in fault.errors(include_input=False)[0]["loc"]) or "the whole"
        raise FileRefused(f"{here}/{MANIFEST}", f"`{where}` is missing or not understood") from None
    except (ValueError, RecursionError):
        raise FileRefused(f"{here}/{MANIFEST}", "is not valid JSON") from None


def _hold_against(manifest: Manifest, files: Iterable[Inspected], here: str, present: set[str]) -> None:
    announced = {entry.name: entry for entry in manifest.files}
    if announced.keys() - present:
        raise FileRefused(f"{here}/{MANIFEST}", f"lists {len(announced)} files, and at least one isn't there")
    for file in files:
        entry = announced.get(file.name)
        if entry is None:
            raise FileRefused(f"{here}/{file.name}", f"is not listed in {MANIFEST}")
        if entry.bytes != file.size:
            more = "longer" if file.size > entry.bytes else "shorter (cut off?)"
            raise FileRefused(f"{here}/{file.name}", f"is {more} than {MANIFEST} says; ask for it again")
        if entry.sha256.lower() != file.sha256:
            raise FileRefused(
                f"{here}/{file.name}", f"doesn't have the SHA-256 that {MANIFEST} states; ask for it again"
            )
