"""A release in the operational store: its state, its manifest, its keys, the copies that were handed over."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.governance.actors import Actor
from pipelines.governance.purposes import PurposeRefused
from pipelines.keys.row_macs import rewrite
from pipelines.keys.sealed_texts import opened, sealed_payload
from pipelines.operations import Operations, timestamp
from pipelines.releases.sets import ReleaseRefused
from pipelines.store_tables import metadata, payload_table, release_table

#: States from which nothing leads back.
OVER = ("revoked", "expired")

copy_table = sa.Table(
    "release_copy",
    metadata,
    sa.Column("copy_id", sa.String(32), primary_key=True),
    sa.Column("release_id", sa.String(64), sa.ForeignKey("release.release_id"), nullable=False),
    sa.Column("recipient_key", sa.String(120), nullable=False),
    sa.Column("file", sa.String(200), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("made_by", sa.String(120), nullable=False),
    sa.Column("made_at", sa.String(32), nullable=False),
    sa.Column("revoked_at", sa.String(32)),
    sa.Column("mac", sa.String(64)),
)


@dataclass(frozen=True)
class Release:
    """One release as the store holds it. States: built, checked, approved, published; refused, revoked, expired,
    withdrawn."""

    release_id: str
    state: str
    purpose: str
    recipient: str
    expires: str
    manifest: dict[str, Any]


@contextmanager
def refusals_noted(operations: Operations, who: Actor, subject: str) -> Iterator[None]:
    """Enter in the audit whatever is refused inside, and let it go on."""
    try:
        yield
    except BoroughlinkError as why:
        event = "purpose refused" if isinstance(why, PurposeRefused) else "release refused"
        audit.record(operations, who.login, event, subject[:200], why=str(why))
        raise


def releases(operations: Operations, release_id: str | None = None) -> list[Release]:
    """Releases, newest first. Raises RowChanged."""
    query = sa.select(release_table)
    if release_id is not None:
        query = query.where(release_table.c.release_id == release_id)
    rows = operations.rows(release_table, query)
    found = [
        Release(
            row["release_id"],
            row["state"],
            row["purpose"],
            row["recipient"],
            row["expires"],
            json.loads(row["manifest"]),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.manifest.get("made_at", ""), one.release_id), reverse=True)


def find(operations: Operations, release_id: str) -> Release:
    """One release. Raises ReleaseRefused for an unknown one."""
    for one in releases(operations, release_id):
        return one
    raise ReleaseRefused("There is no release of that name; `boroughlink release list` shows those there are.")


def update(operations: Operations, release_id: str, state: str, **manifest: Any) -> None:
    """Move a release to a state, with more in its manifest. Raises ReleaseRefused if it ended meanwhile."""
    with operations.begin() as db:
        move(operations, db, release_id, state, **manifest)


def move(operations: Operations, db: sa.Connection, release_id: str, state: str, **manifest: Any) -> None:
    """As update, inside a transaction of the caller's."""
    operations.take_write_lock(db, release_table)
    row = db.execute(sa.select(release_table).where(release_table.c.release_id == release_id)).mappings().one()
    if row["state"] in OVER:
        raise ReleaseRefused(f"{release_id} ended meanwhile: its keys are destroyed.")
    said = json.dumps(json.loads(row["manifest"]) | manifest)
    rewrite(db, operations.keyring, release_table, row, state=state, manifest=said)


def keep_key(operations: Operations, key: bytes) -> str:
    """Seal a release's own key in the store; returns the id by which it is opened or destroyed."""
    row = sealed_payload(operations.keyring, key, "releases")
    with operations.begin() as db:
        db.execute(sa.insert(payload_table).values(row))
    return str(row["payload_id"])


def key_of(operations: Operations, key_id: str) -> bytes:
    """A release's key. Raises ReleaseRefused when it was destroyed."""
    with operations.begin() as db:
        sealed = db.scalar(sa.select(payload_table.c.sealed).where(payload_table.c.payload_id == key_id))
    key = opened(operations.keyring, key_id, sealed, "releases")
    if key is None:
        raise ReleaseRefused(
            "The key of this release was destroyed: nobody can open it or match its pseudonyms any more."
        )
    return key


def destroy_key(operations: Operations, key_id: str) -> None:
    """Zero a key in the store, for good."""
    operations.forget([key_id])


def holds_key(operations: Operations, key_id: str) -> bool:
    """Whether a key is there and was not destroyed."""
    with operations.begin() as db:
        sealed = db.scalar(sa.select(payload_table.c.sealed).where(payload_table.c.payload_id == key_id))
    return opened(operations.keyring, key_id, sealed, "releases") is not None


def seal(key: bytes, plain: bytes, bound_to: str) -> bytes:
    """AES-256-GCM under a release's own key; `bound_to` names release and file."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to.encode())


def unseal(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    """Raises ReleaseRefused when the file was changed."""
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], bound_to.encode())
    except (InvalidTag, ValueError):
        raise ReleaseRefused(f"{bound_to} is not as it was built: changed, damaged, or of another release.") from None


def note_copy(operations: Operations, release_id: str, recipient_key: str, file: str, sha256: str, who: Actor) -> None:
    row = {
        "copy_id": secrets.token_hex(16), "release_id": release_id, "recipient_key": recipient_key, "file": file,
        "sha256": sha256, "made_by": who.login, "made_at": timestamp(),
    }  # fmt: skip
    with operations.begin() as db:
        operations.write_rows(db, copy_table, [row])


def copies(operations: Operations, release_id: str) -> list[dict[str, Any]]:
    """The copies of a release that left, oldest first. Raises RowChanged."""
    query = sa.select(copy_table).where(copy_table.c.release_id == release_id).order_by(copy_table.c.made_at)
    return [dict(row) for row in operations.rows(copy_table, query)]


def mark_copies(operations: Operations, db: sa.Connection, release_id: str) -> int:
    """Mark the copies of a release as revoked, inside a transaction of the caller's: their holders must delete them."""
    out = sa.select(copy_table).where(copy_table.c.release_id == release_id, copy_table.c.revoked_at.is_(None))
    rows = db.execute(out).mappings().all()
    return sum(rewrite(db, operations.keyring, copy_table, row, revoked_at=timestamp()) for row in rows)
