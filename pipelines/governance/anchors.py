"""The audit's head, kept outside the store: what is cut off or replaced as a whole shows against it."""

import json
import os
from pathlib import Path

from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.operations import Operations, timestamp
from pipelines.settings import DataFolder, Settings, load_settings

NOTED = "audit_head"

Head = tuple[int, str]


def anchor(operations: Operations) -> Head:
    """Append the head to the file that the settings of the store's folder name, if they do; returns it.

    Raises BoroughlinkError when the file can't be written: an anchor that is silently missed is none.
    """
    head, (folder, settings) = audit.anchor(operations), _place(operations)
    if settings.anchor is not None:
        of = {"folder": str(folder.root), "store": _name(operations)}
        line = json.dumps({"at": timestamp(), **of, "entry": head[0], "mac": head[1]}) + "\n"
        try:
            handle = os.open(_path(settings.anchor), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as fault:
            why = os.strerror(fault.errno or 0)
            raise BoroughlinkError(f"The audit can't be anchored in {settings.anchor}: {why}. See to it.") from None
    return head


def known(operations: Operations) -> list[Head]:
    """Every head that is known outside the store: from the anchor file, and from the runs that are published.

    A folder is known by its place, though its store be another, and by the key of its audit, though it was moved.
    """
    folder, settings = _place(operations)
    heads = [_head(json.loads(path.read_text())["notes"].get(NOTED)) for path in folder.published.glob("*/run.json")]
    if settings.anchor is not None and _path(settings.anchor).exists():
        for number, line in enumerate(_path(settings.anchor).read_text().splitlines(), start=1):
            try:
                said = json.loads(line)
                if said["folder"] == str(folder.root) or said.get("store") == _name(operations):
                    heads.append((int(said["entry"]), str(said["mac"])))
            except (ValueError, KeyError, TypeError):
                raise BoroughlinkError(f"{settings.anchor}, line {number}: is no anchor; was it changed?") from None
    return sorted({head for head in heads if head})


def _place(operations: Operations) -> tuple[DataFolder, Settings]:
    if operations.folder is None:
        raise ValueError("a store that was not opened at a folder is anchored nowhere")
    return operations.folder, load_settings(operations.folder)


def _name(operations: Operations) -> str:
    return operations.keyring.hmac("audit", b"name of the store").hex()[:32]


def _head(noted: object) -> Head | None:
    return (int(noted[0]), str(noted[1])) if isinstance(noted, list) and len(noted) == 2 else None


def _path(anchor: Path) -> Path:
    return anchor.expanduser().resolve()
