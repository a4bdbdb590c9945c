"""How a release ends: revoked by a person, or swept once its day is over. Its keys are destroyed and its copies marked.

A series shares one naming key. It goes with the last of its releases that anybody may hold, or at once if the series
itself is ended.
"""

import shutil
from datetime import date

from pipelines.governance import approvals, audit
from pipelines.governance.actors import Actor
from pipelines.operations import Operations
from pipelines.releases.sets import ReleaseRefused
from pipelines.releases.store import (
    OVER,
    Release,
    destroy_key,
    find,
    holds_key,
    mark_copies,
    move,
    refusals_noted,
    releases,
)
from pipelines.settings import DataFolder

#: States in which nobody has it or will get it.
GONE = (*OVER, "refused", "withdrawn")


def revoke(
    operations: Operations, release_id: str, reason: str, who: Actor, series: bool = False
) -> tuple[list[Release], int]:
    """Take a release back, with `series` all of its series. Anyone may, alone: it only takes away.

    Returns what was revoked, and how many copies must be deleted. Raises ReleaseRefused.
    """
    release = find(operations, release_id)
    name = release.manifest.get("series")
    with refusals_noted(operations, who, release_id):
        if len(reason.strip()) < approvals.MIN_REASON:
            raise ReleaseRefused("Say in a sentence why it is revoked.")
        if series and name is None:
            raise ReleaseRefused(f"{release_id} is in no series: leave --series out.")
        taken = [
            one for one in (releases(operations) if series else [release])
            if one.state not in OVER and one.manifest.get("series") == name
        ]  # fmt: skip
        key = str(release.manifest["key"])
        left = [one for one in releases(operations) if one.state not in GONE and one.manifest.get("key") == key]
        ends = series or {one.release_id for one in left} <= {release_id}
        if not taken and not (series and holds_key(operations, key)):
            raise ReleaseRefused(f"It is {release.state} already.")
    if ends:
        destroy_key(operations, key)
    if series:
        audit.record(operations, who.login, "release series ended", release_id, series=name, releases=len(taken))
    marked = 0
    for one in taken:
        marked += _end(operations, one, "revoked", who.login, reason=reason.strip()[:400])
    return [find(operations, one.release_id) for one in taken], marked


def sweep(folder: DataFolder, operations: Operations, today: date, who: str) -> list[str]:
    """End every release whose day is over, with its keys and sealed files; returns which. Entered in the audit.

    The naming key of a series goes once the day of its last release is over.
    """
    every = releases(operations)
    late = [one for one in every if date.fromisoformat(one.expires) < today]
    needed = {one.manifest.get("key") for one in every if one not in late}
    swept = []
    for one in late:
        key = one.manifest.get("key")
        if key and key not in needed and holds_key(operations, str(key)):
            destroy_key(operations, str(key))
        if one.state in OVER:
            continue
        # before it is marked as ended: nobody comes back to one that is
        shutil.rmtree(folder.releases / one.purpose / one.release_id, ignore_errors=True)
        _end(operations, one, "expired", who, expires=one.expires)
        swept.append(one.release_id)
    return swept


def _end(operations: Operations, release: Release, state: str, who: str, **detail: str) -> int:
    """Destroy what only this release needs, then move it to its end, with its copies and the audit's entry at once;
    returns how many copies were marked."""
    for name in ("seal", "people"):
        if key_id := release.manifest.get(name):
            destroy_key(operations, str(key_id))
    with operations.begin() as db:
        move(operations, db, release.release_id, state)
        copies = mark_copies(operations, db, release.release_id)
        audit.append(operations, db, who, f"release {state}", release.release_id, copies=copies, **detail)
    return copies
