"""Build a release: from the attributes zone into sealed files, with keys of its own and a manifest of what was done."""

import hashlib
import json
import secrets
import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.exports import Stamp, csv_bytes, parquet_bytes
from pipelines.governance import audit
from pipelines.governance.actors import Actor
from pipelines.governance.opt_out import require_recent
from pipelines.operations import timestamp
from pipelines.releases import series as lasting
from pipelines.releases.dataset import Built, build_rows, delete_after, licence
from pipelines.releases.desk import Desk
from pipelines.releases.rare_values import without_values
from pipelines.releases.sealed import place_of
from pipelines.releases.sets import Profile, ReleaseRefused, ReleaseSet, allowed
from pipelines.releases.store import keep_key, refusals_noted, seal
from pipelines.releases.zone import marked_list
from pipelines.settings import DataFolder, flush_folder, write_atomically
from pipelines.warehouse import Warehouse

#: The audit's word for a release that was made.
BUILT = "release built"


def build(
    wh: Warehouse,
    desk: Desk,
    asked: ReleaseSet,
    who: Actor,
    *,
    recipient: str | None = None,
    series: str | None = None,
    stands_on: Sequence[str] = (),
) -> dict[str, Any]:
    """Build one release for a recipient; returns its manifest. A `series` keeps pseudonyms over releases, by choice;
    `stands_on` says which sources stood on an old extract.

    Raises PurposeRefused before anything is read, ReleaseRefused when it can't be made safe; both stand in the audit.
    """
    folder, settings, operations = desk.folder, desk.settings, desk.operations
    recipient = (recipient or asked.recipient).strip()
    with refusals_noted(operations, who, asked.name):
        _require_plain_names(recipient, series)
        purpose, profile = allowed(asked, desk.purposes)
        if purpose.opt_out_applies:
            require_recent(operations, settings.today(), marked_list(wh))
        order = secrets.token_bytes(32)
        chain = lasting.of(operations, series, asked, recipient) if series else None
        naming = chain.key if chain else secrets.token_bytes(32)
        release_id = f"{asked.name}-{settings.today():%Y%m%d}-{secrets.token_hex(4)}"
        built = build_rows(wh, lasting.without_household(asked) if chain else asked, purpose, profile, naming, order)
        if chain:
            goes_on = lasting.go_on(wh, desk, chain, asked, profile, release_id, built)
            named = built.rows.with_columns(pl.Series("person", goes_on.names))
            built = replace(built, rows=without_values(asked, named, goes_on.not_told))
    expires = settings.today() + timedelta(days=delete_after(asked, purpose))
    text = licence(settings.council or "whoever holds it")
    files = _files(asked, built, Stamp(purpose.name, wh.run_id, expires, text, stands_on))
    if chain:
        files["superseded.csv"] = csv_bytes(lasting.HEADS, goes_on.superseded)
    manifest = _manifest(asked, profile, built, wh.run_id, settings.today(), expires) | {
        "release_id": release_id,
        "recipient": recipient,
        "made_by": who.login,
        "made_at": timestamp(),
        "files": [{"name": n, "bytes": len(c), "sha256": hashlib.sha256(c).hexdigest()} for n, c in files.items()],
        "licence": text,
    }
    if chain:
        manifest["series"], manifest["continuity"] = series, goes_on.counts
    target = place_of(folder, manifest)
    _write(folder, target, files, manifest, order)
    kept = {"seal": keep_key(operations, order), "key": chain.key_id if chain else keep_key(operations, naming)}
    operations.add_release(
        release_id=release_id,
        run_id=wh.run_id,
        purpose=purpose.name,
        recipient=recipient,
        state="built",
        row_count=built.protection.rows,
        expires=expires.isoformat(),
        manifest=json.dumps(manifest | kept),
    )
    if chain:
        lasting.remember(operations, built.people, release_id)
    audit.record(operations, who.login, BUILT, release_id, rows=built.protection.rows, recipient=recipient)
    return manifest


def _require_plain_names(recipient: str, series: str | None) -> None:
    if not recipient:
        raise ReleaseRefused("Say for whom the release is: a release for nobody is not made.")
    for said, name in (("--recipient", recipient), ("--series", series or "x")):
        if not name.isprintable() or unicodedata.normalize("NFKC", name).strip() != name or len(name) > 120:
            raise ReleaseRefused(f"{said}: at most 120 plain printable characters; whoever approves reads them.")


def _files(asked: ReleaseSet, built: Built, stamp: Stamp) -> dict[str, bytes]:
    rows = built.rows.rows()
    return {
        f"{asked.name}.csv": csv_bytes(built.rows.columns, rows),
        f"{asked.name}.parquet": parquet_bytes(built.rows, stamp),
    }


def _write(folder: DataFolder, target: Path, files: dict[str, bytes], manifest: dict[str, Any], key: bytes) -> None:
    """Sealed files and the manifest in clear, in their folder at once or not at all."""
    for left in folder.releases.glob(".building-*"):  # of a build that was cut off
        shutil.rmtree(left)
    beside = folder.releases / f".building-{manifest['release_id']}"
    beside.mkdir(mode=0o700)
    for name, content in files.items():
        write_atomically(beside / f"{name}.sealed", seal(key, content, f"{manifest['release_id']}/{name}"))
    write_atomically(beside / "manifest.json", json.dumps(manifest, indent=2).encode() + b"\n")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside.replace(target)
    flush_folder(target.parent)


def _manifest(
    asked: ReleaseSet, profile: Profile, built: Built, run_id: str, today: date, expires: date
) -> dict[str, Any]:
    done = built.protection
    shown = max(profile.k, asked.k, profile.k_population)
    return {
        "release": asked.name,
        "title": asked.title,
        "status": "personal data, pseudonymised",
        "purpose": asked.purpose,
        "profile": {name: value for name, value in profile.model_dump().items() if value is not None},
        "run": run_id,
        "made_for_day": today.isoformat(),
        "delete_after": expires.isoformat(),
        "rows": done.rows,
        "rows_left_out": done.suppressed,
        "left_out_by_national_data_opt_out": built.opted_out,
        "rows_kept_by": {
            column: {value: f"{after / before:.0%}" for value, before, after in told if before >= shown}
            for column, told in built.utility.items()
        },
        "rows_by_tier": {value: after for value, _, after in built.utility.get("tier", []) if after >= shown},
        "quasi_identifiers": done.levels,
        "k_asked": max(profile.k, asked.k),
        "k_measured": done.smallest_group,
        "groups": done.groups,
        "rows_with_reasons_shortened": built.reasons_cut,
        "reasons_withheld_because_their_column_was_made_coarser": built.reasons_withheld,
        "row": asked.subject.grain + (" whose age is known" if asked.age_known else ""),
        "order": "shuffled under the release's key",
        "columns": {name: asked.subject.columns[name].means for name in asked.columns},
    }
