"""`run --preview`: the whole job on copies, held against what is published; nothing stays but a line in the audit."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

import yaml

from pipelines.commit_point import ZONE_FILES, Current, alone_with
from pipelines.definitions import Place, execute
from pipelines.differences.comparing import Differences, compare, published_run
from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.governance.actors import person
from pipelines.operations import Operations
from pipelines.running.job import progress
from pipelines.running.store_copy import copy_store, without_url
from pipelines.settings import SETTINGS_FILE, DataFolder, load_settings, write_atomically


def preview(
    folder: DataFolder, landing: str | None, sources: str | None, changed: Mapping[str, str], quiet: bool
) -> Differences:
    """What a run would change, with the settings of `changed` in the place of the folder's own.

    It holds the folder's lock as a run does. Raises BoroughlinkError when nothing is published yet, a setting can't be
    what it should, or a step fails.
    """
    if Current.read(folder).published is None:
        raise BoroughlinkError(f"Nothing is published in {folder.root} yet: a preview has nothing to be compared with.")
    place = Place.of(folder.root, landing, sources)
    if not place.landing.is_dir():
        raise BoroughlinkError(f"The landing folder {place.landing} is not there.")
    with alone_with(folder, "a preview") as operations:
        before, outcome = published_run(folder, Current.read(folder).published), "failed"
        try:
            with copied(folder, "preview") as copy:
                found = _previewed(copy, place, operations, before, changed, quiet)
            outcome = "shown"
        finally:
            audit.record(operations, person(), "run previewed", before.name, settings=dict(changed), outcome=outcome)
    return found


def _previewed(
    copy: DataFolder, place: Place, operations: Operations, before: Path, changed: Mapping[str, str], quiet: bool
) -> Differences:
    change_settings(copy, changed)
    settings = load_settings(copy)
    with nullcontext() if quiet else progress():
        fine, faults = execute(Place(copy, place.landing, place.sources, notices=False), person())
    if not fine:
        raise BoroughlinkError("The preview stopped: " + (" ".join(faults) or "a step failed."))
    after = published_run(copy, Current.read(copy).published)
    return compare(copy, settings, operations.keyring, (before, after), operations.decisions())


@contextmanager
def copied(folder: DataFolder, name: str) -> Iterator[DataFolder]:
    """A copy of the state of a data folder, for one run; it goes when the block ends, and Dagster's home is what it
    was."""
    copy, home = DataFolder(folder.work / f"{name}-{secrets.token_hex(3)}"), os.environ.get("DAGSTER_HOME")
    try:
        copy_state(folder, copy)
        with without_url():
            yield copy
    finally:
        shutil.rmtree(copy.root, ignore_errors=True)
        os.environ.pop("DAGSTER_HOME", None)
        if home is not None:
            os.environ["DAGSTER_HOME"] = home


def copy_state(folder: DataFolder, copy: DataFolder) -> None:
    """The state of a data folder, for one run that is thrown away. A run replaces the warehouse files and never writes
    into them, so that a link stands for a copy."""
    copy.make()
    shutil.copytree(folder.keys, copy.keys, dirs_exist_ok=True)
    for zone in ZONE_FILES:
        if getattr(folder, zone).exists():
            os.link(getattr(folder, zone), getattr(copy, zone))
    for path in (folder.root / SETTINGS_FILE, folder.current):
        if path.exists():
            shutil.copyfile(path, copy.root / path.relative_to(folder.root))
    copy_store(folder, copy)
    shutil.copytree(folder.models, copy.models, dirs_exist_ok=True)


def change_settings(copy: DataFolder, changed: Mapping[str, str]) -> None:
    """Write the settings to try into the copy; load_settings judges them."""
    if fixed := [name for name in changed if f"BOROUGHLINK_{name.upper()}" in os.environ]:
        raise BoroughlinkError(
            f"BOROUGHLINK_{fixed[0].upper()} is set and would overrule what is to be tried: unset it."
        )
    path = copy.root / SETTINGS_FILE
    held = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}
    write_atomically(path, yaml.safe_dump(held | dict(changed), allow_unicode=True).encode())


def parsed(given: tuple[str, ...]) -> dict[str, str]:
    """`name=value` settings of the command line. Raises BoroughlinkError."""
    found = dict(setting.partition("=")[::2] for setting in given)
    if wrong := [setting for setting in given if "=" not in setting]:
        raise BoroughlinkError(f"--set {json.dumps(wrong[0])}: write name=value, for instance target_precision=0.995.")
    return found
