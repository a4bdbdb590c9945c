"""What becomes of a release: built → checked → approved → published, each a state in the store; ending.py ends it.

The check believes nothing of the build: it opens the sealed file and attacks it. Approval is another person's, for
these very files, once and in time. Publishing encrypts a copy to the recipient's own key.
"""

import hashlib
import io
import json
import os
import tarfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pyrage

from pipelines.governance import approvals, audit
from pipelines.governance.actors import Actor
from pipelines.governance.opt_out import require_recent
from pipelines.keys.age_keys import age_key
from pipelines.operations import Operations
from pipelines.releases.attacks import Measured, attack, require_profile
from pipelines.releases.content import require_no_identifiers
from pipelines.releases.dataset import OPTED_OUT
from pipelines.releases.desk import Desk
from pipelines.releases.joining import joins_most
from pipelines.releases.protected_table import presets
from pipelines.releases.sealed import contents_of, rows_of
from pipelines.releases.series import called, smallest_path
from pipelines.releases.sets import ReleaseRefused, allowed, load_set, population
from pipelines.releases.store import (
    Release,
    find,
    note_copy,
    refusals_noted,
    update,
)
from pipelines.releases.zone import marked_list
from pipelines.settings import DataFolder, write_atomically
from pipelines.warehouse import Warehouse

KIND = "release"
#: Counts of people who are not in the file: its recipient is told them as any other count that leaves.
COUNTS = ("rows_left_out", "left_out_by_national_data_opt_out", "rows_with_reasons_shortened")
RULE = presets()["k10"]
#: What a request to publish says of itself; the maker asks by checking.
REASON = "Publish {release} for {recipient} under {key}: the check found it as safe as its profile asks."


def check(wh: Warehouse, desk: Desk, release_id: str, recipient_key: str, who: Actor) -> tuple[Release, Measured]:
    """Attack a built release; if it is as safe as its profile asks, ask for approval to publish it to the holder of
    an age key, that one and no other. Raises ReleaseRefused."""
    folder, settings, operations = desk.folder, desk.settings, desk.operations
    release = find(operations, release_id)
    with refusals_noted(operations, who, release_id):
        _require_state(release, "built", "checked")
        release.manifest["recipient_key"] = key = str(age_key(recipient_key))
        asked = load_set(str(release.manifest["release"]))
        purpose, profile = allowed(asked, desk.purposes)
        if wh.run_id != release.manifest["run"]:
            raise ReleaseRefused("A newer run stands since this release was built: build it again, then check that.")
        rows = rows_of(folder, operations, release)
        require_no_identifiers(rows)
        if list(rows.columns) != list(asked.columns):
            raise ReleaseRefused("The file's columns are not those of its set.")
        wh.execute(f"CREATE OR REPLACE TEMP TABLE population AS {population(asked)}")
        found = attack(wh, asked, rows, release.manifest["quasi_identifiers"])
        try:
            if "series" in release.manifest:
                found = replace(found, path=smallest_path(folder, operations, release, asked, profile))
            if other := joins_most(folder, operations, release, rows, asked, settings.today()):
                share, other_id, holder = other
                found = replace(found, joined=share, joined_with=f"{other_id}, for {holder}")
            require_profile(found, asked, profile, found.rows + int(release.manifest["rows_left_out"]))
            if purpose.opt_out_applies:
                require_recent(operations, settings.today(), marked_list(wh))
                _require_none_opted_out(wh, operations, release, rows)
        except ReleaseRefused:
            update(operations, release_id, "refused", measured=found.plain())
            raise
    request = approvals.ask(
        operations,
        Actor(who.login, who.roles, who.names | {str(release.manifest["made_by"])}),  # neither of them answers it
        KIND,
        release_id,
        f"{REASON.format(release=release_id, recipient=release.recipient, key=key)} {found.says_of_joining}".strip(),
        particulars={
            "release": release_id,
            "recipient": release.recipient,
            "recipient_key": key,
            "purpose": release.purpose,
        },
        mark=mark_of(release),
        roles=approvals.roles_needed(settings, *purpose.release_approvers),
        days=profile.approval_days,
    )
    update(operations, release_id, "checked", measured=found.plain(), request=request, recipient_key=key)
    audit.record(operations, who.login, "release checked", release_id, measured=found.plain())
    return find(operations, release_id), found


def approve(operations: Operations, release_id: str, who: Actor) -> Release:
    """Another person's consent to publish, in a role that the purpose names. Raises ReleaseRefused, or ApprovalRefused
    for whoever made it or asked."""
    release = find(operations, release_id)
    with refusals_noted(operations, who, release_id):
        _require_state(release, "checked")
        approvals.approve(operations, who, str(release.manifest["request"]))
    update(operations, release_id, "approved", approved_by=who.login)
    return find(operations, release_id)


def publish(desk: Desk, release_id: str, out: Path, who: Actor) -> Path:
    """Write one encrypted copy for the recipient: an age file that only the holder of the key approved can open.

    The approval is used up and the copy noted before a byte is written: of two who publish at once, one writes nothing.
    Raises ReleaseRefused for an approval that is missing, another's, used or over.
    """
    operations = desk.operations
    release = find(operations, release_id)
    with refusals_noted(operations, who, release_id):
        _require_state(release, "checked", "approved")  # who approved in the app did so by the request alone
        allowed(load_set(str(release.manifest["release"])), desk.purposes)
        if desk.settings.today() > date.fromisoformat(release.expires):
            raise ReleaseRefused(f"The release was to be deleted after {release.expires}: build a new one.")
        request = approvals.standing(operations, str(release.manifest["request"]), KIND, mark_of(release))
        release.manifest["approved_by"] = request.answered_by
        key = str(release.manifest["recipient_key"])
        sealed = pyrage.encrypt(_package(desk.folder, operations, release), [age_key(key)])
        approvals.done(operations, who, request, release=release_id)
        digest = hashlib.sha256(sealed).hexdigest()
        note_copy(operations, release_id, key, out.name, digest, who)
        update(operations, release_id, "published", approved_by=request.answered_by)
        audit.record(operations, who.login, "release published", release_id, file=out.name, sha256=digest)
        try:
            write_atomically(out, sealed)
        except OSError as fault:
            raise ReleaseRefused(
                f"{out} can't be written ({os.strerror(fault.errno or 0)}), and the approval is used: build it again."
            ) from None
    return out


def mark_of(release: Release) -> str:
    """What an approval is for: these files, for this recipient and their key, until that day."""
    return approvals.mark_of(
        {
            "release": release.release_id,
            "recipient": release.recipient,
            "recipient_key": release.manifest.get("recipient_key"),
            "purpose": release.purpose,
            "expires": release.expires,
            "files": release.manifest["files"],
        }
    )


def _require_state(release: Release, *states: str) -> None:
    if release.state not in states:
        means = {
            "built": "is not checked yet: `boroughlink release check` comes first",
            "checked": "waits for another person's approval",
            "approved": "is approved already",
            "refused": "was refused by its check: build it again",
            "published": "is published already; a new hand-over is a new release",
            "revoked": "was revoked: its key is destroyed",
            "expired": "was to be deleted, and is: its key is destroyed",
            "withdrawn": "was withdrawn with its run",
        }
        raise ReleaseRefused(f"{release.release_id} {means.get(release.state, release.state)}.")


def _require_none_opted_out(wh: Warehouse, operations: Operations, release: Release, rows: pl.DataFrame) -> None:
    """Raise ReleaseRefused if anybody in the file is on the opt-out list that the attributes know."""
    out = [str(row[0]) for row in wh.rows(f"SELECT person_id FROM {OPTED_OUT}")]
    if held := len(called(operations, release, out).keys() & set(rows["person"])):
        raise ReleaseRefused(f"{held} rows are of people on the national data opt-out list: build the release again.")


def _package(folder: DataFolder, operations: Operations, release: Release) -> bytes:
    """One tar of the files, the manifest as the recipient sees it, and the licence."""
    secret = {"key", "seal", "people", "request"}
    said = {name: value for name, value in release.manifest.items() if name not in secret}
    for name in COUNTS:
        count = int(said[name])
        said[name] = RULE.shown(count) if count >= RULE.hidden_below else f"fewer than {RULE.hidden_below}"
    parts = contents_of(folder, operations, release) | {
        "manifest.json": json.dumps(said, indent=2).encode() + b"\n",
        "LICENCE.txt": str(release.manifest["licence"]).encode() + b"\n",
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in sorted(parts.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()
