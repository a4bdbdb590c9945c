"""Questions to the audit: is it whole, who looked at this person, what did this user see. The asking is audited too."""

import json
from contextlib import suppress
from typing import Any

from pipelines.faults import BoroughlinkError, Refusal, plural
from pipelines.governance import anchors, audit, looks
from pipelines.governance.actors import acting, canonical
from pipelines.governance.row_checks import first_bad_row
from pipelines.keys.keyring import STORE, open_keyring
from pipelines.operations import Operations, standing_store
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import NothingPublished, open_snapshot

_COLUMNS = ("entry", "at (UTC)", "who", "event", "of", "detail")


def verified(folder: DataFolder) -> tuple[bool, Answer]:
    """The chain, against itself and against every head that was kept outside the store; and the rows that decide
    something, against their MACs and the chain."""
    with standing_store(folder) as operations:
        known = anchors.known(operations)
        read, bad = audit.verify(operations, known)
        head = audit.anchor(operations)
        row = first_bad_row(operations)
    last = max((seq for seq, _ in known), default=0)
    outside = f"held against {plural(len(known), 'anchored head')}"
    if bad is None:
        said = f"{plural(read, 'entry', 'entries')}, unbroken, {outside}. Head: entry {head[0]}, {head[1][:16]}."
    elif bad == head[0] + 1:
        said = f"Entries from {bad} on are missing: an anchor knows of {last}."
    else:
        said = f"Entry {bad} is not as it was written."
    rows = "The rows of the store by which something is decided stand as they were written."
    if row:
        rows = f"Table `{row[0]}`, row {row[1]}: it {row[2]}."
    data = {"entries": read, "first bad entry": bad, "anchors": len(known), "head": head[0], "first bad row": row}
    return bad is None and row is None, Answer((said, rows), data=data)


def looks_at(folder: DataFolder, person_id: str) -> Answer:
    """Every entry about a person: by their ids of now, and by the keyed names of their records."""
    names: set[str] = set()
    with standing_store(folder) as operations:
        with suppress(NothingPublished), open_snapshot(folder) as (wh, _):
            names = looks.names_of(wh, operations.keyring, person_id)
        names = names or looks.names_of(None, operations.keyring, person_id)
        audit.record(operations, acting(folder).login, "audit of a person read", person_id)
        found = looks.looks_at(operations, names)
    said = (
        f"{plural(len(found.about), 'entry', 'entries')} about this person by name; "
        f"{plural(len(found.in_bulk), 'export')} of many people may have held them.",
    )
    return Answer(
        said, [("About this person", _COLUMNS, _rows(found.about)), ("Exports of many", _COLUMNS, _rows(found.in_bulk))]
    )


def seen_by(folder: DataFolder, login: str) -> Answer:
    """Every entry of what a user did and saw."""
    name = canonical(login, load_settings(folder))
    with standing_store(folder) as operations:
        audit.record(operations, acting(folder).login, "audit of a user read", name)
        entries = [entry for entry in audit.entries(operations) if _canonical(entry["actor"]) == name]
    return Answer(
        (f"{plural(len(entries), 'entry', 'entries')} by {name}.",), [("By this user", _COLUMNS, _rows(entries))]
    )


def enter_refusal(folder: DataFolder | None, fault: Refusal) -> None:
    """Enter in the audit that something was refused, where the store opens; the refusal itself stands either way."""
    if folder is None or not folder.operations.exists():
        return
    with suppress(BoroughlinkError, OSError):
        keyring = open_keyring(folder, load_settings(folder), STORE, lenient=True)
        operations = Operations.open(folder, keyring, lenient=True)
        try:
            audit.refused(operations, acting(folder).login, fault)
        finally:
            operations.close()


def _canonical(login: str) -> str:
    """The login at the head of an actor's name ("ann, by Dagster's page")."""
    return login.split(",", 1)[0].strip().casefold()


def _rows(entries: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (e["seq"], e["at"][:19], e["actor"], e["event"], e["object"], json.dumps(e["detail"], sort_keys=True))
        for e in entries
    ]
