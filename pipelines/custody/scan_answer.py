"""What `boroughlink scan` says."""

from pathlib import Path
from typing import Any

from pipelines.custody.scanning import listed, scan
from pipelines.faults import plural
from pipelines.governance import audit
from pipelines.governance.actors import acting
from pipelines.keys.keyring import STANDING_KEYS
from pipelines.operations import standing_store
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder


def scanned(
    path: Path, canaries: Path | None, exceptions: Path | None, patterns: bool, folder: DataFolder | None
) -> tuple[bool, Answer]:
    """Whether nothing was found and all opened that is not encrypted, and the tables of both."""
    looked_for = listed(canaries) if canaries else []
    passed = listed(exceptions) if exceptions else []
    root = path.expanduser().resolve()
    if folder is None:
        found = scan(root, looked_for, passed, patterns)
    else:
        with standing_store(folder, STANDING_KEYS) as operations:
            audit.record(operations, acting(folder).login, "scanned with keys", root.name, canaries=len(looked_for))
            found = scan(root, looked_for, passed, patterns, operations.keyring)
    rows = [(name, kind, count) for name, kinds in found.hits.items() for kind, count in sorted(kinds.items())]
    said = [
        f"{plural(found.files, 'file')} looked through, {len(found.hits):,} of them with identifiers; "
        f"{plural(len(found.excepted), 'file')} passed over by the exceptions.",
        *(f"Not looked into: {name}" for name in found.closed),
        *(
            [f"Encrypted, so nobody can say what is in {'it' if len(found.sealed) == 1 else 'them'}: "
             f"{plural(len(found.sealed), 'file')}."]
            if found.sealed else []
        ),
    ]  # fmt: skip
    tables: list[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]] = []
    if rows:
        tables.append(("Identifiers", ("file", "kind", "how many"), rows))
    if found.sealed:
        tables.append(("Encrypted", ("file", "what it is"), [tuple(one.split(": ", 1)) for one in found.sealed]))
    more = {"files": found.files, "not looked into": list(found.closed), "encrypted": len(found.sealed)}
    return not (found.hits or found.closed), Answer(said, tables, more)
