"""Keys: random, independent, wrapped by one key-encryption key (KEK) that never lies in the configuration.

The keystore (`keys/keystore.json`) holds each key wrapped. The KEK comes from the environment (`BOROUGHLINK_KEK`, 64
hex digits), from a file (`BOROUGHLINK_KEK_FILE`) or from a command's output (`BOROUGHLINK_KEK_COMMAND`); a folder of
invented people may make its own (`keys/demo.kek`).
"""

import fcntl
import hashlib
import hmac
import os
import secrets
import shlex
import stat
import subprocess  # the council's own key command, from its own environment
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.keys.keystore import KEY_BYTES, STORE_FILE, KeyFault, Keystore
from pipelines.settings import DataFolder, Settings, write_atomically

_FROM_OUTSIDE = ("BOROUGHLINK_KEK", "BOROUGHLINK_KEK_FILE", "BOROUGHLINK_KEK_COMMAND")

#: Each key, and what it opens.
OPENS = {
    "identity": "identity.duckdb: raw, staged, facts, links",
    "attributes": "attributes.duckdb and the tiers of published runs: random ids, no identity",
    "published": "the snapshots of published runs",
    "archive": "the extracts that were taken in, and the term frequencies of models",
    "fields": "free text and particulars in the operational store",
    "ids": "the order of new random ids",
    "fingerprint": "keyed names of records, and of what a decision saw",
    "audit": "the chain of the audit",
    "releases": "the keys of releases: what leads from a pseudonym back to a person",
    "suppression": "the keyed hashes of erased records, which don't come back",
}
STANDING_KEYS = tuple(OPENS)

#: What each kind of process may open: it is given no other key (`boroughlink keys list` shows the table).
STORE = ("fields", "fingerprint", "audit")
READING = ("published", *STORE)
LINKING = ("identity", "attributes", "published", "archive", "ids", "suppression", *STORE)
TRAINING = ("archive", "published", *STORE)
COMPARING = ("attributes", *READING)
RELEASING = ("attributes", "releases", *STORE)
REVEALING = ("published", "releases", *STORE)
DISCLOSING = ("identity", *STORE)
#: Whoever is erased is looked for everywhere: the one job that opens both identity and the keys of releases.
ERASING = (*LINKING, "releases")
JOBS = {
    "keep the store (status, requests, audit, decisions)": STORE,
    "read what is published": READING,
    "compare two published runs (diff)": COMPARING,
    "train and compare models": TRAINING,
    "link (run, preview, retention, quarantine)": LINKING,
    "release": RELEASING,
    "name the people behind pseudonyms": REVEALING,
    "answer a request about one person (disclose)": DISCLOSING,
    "erase a person": ERASING,
    "manage keys, doctor": STANDING_KEYS,
}


@dataclass(frozen=True)
class Keyring:
    """The unwrapped keys that a process was given, and where the KEK came from; never printed, never pickled."""

    keys: dict[str, bytes]
    origin: str

    def __repr__(self) -> str:
        return f"Keyring({', '.join(sorted(self.keys))})"

    def __reduce__(self) -> str:
        raise TypeError("a keyring is never serialised")

    @classmethod
    def ephemeral(cls, seed: bytes = b"tests") -> "Keyring":
        """Keys from a seed, for tests and fixtures only."""
        return cls({name: hashlib.sha256(seed + name.encode()).digest() for name in STANDING_KEYS}, "a test's seed")

    def key(self, name: str) -> bytes:
        try:
            return self.keys[name]
        except KeyError:
            raise KeyFault(f"This process was not given the key `{name}`.") from None

    def hmac(self, name: str, message: bytes) -> bytes:
        """HMAC-SHA256 of a message under the named key."""
        return hmac.digest(self.key(name), message, "sha256")

    def encrypt(self, name: str, plain: bytes, bound_to: bytes = b"") -> bytes:
        """AES-256-GCM: nonce and ciphertext; `bound_to` is authenticated, not stored."""
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self.key(name)).encrypt(nonce, plain, bound_to)

    def decrypt(self, name: str, sealed: bytes, bound_to: bytes = b"") -> bytes:
        try:
            return AESGCM(self.key(name)).decrypt(sealed[:12], sealed[12:], bound_to)
        except InvalidTag:
            raise KeyFault(f"Sealed data does not open with the key `{name}`: wrong key, or damaged.") from None


def open_keyring(folder: DataFolder, settings: Settings, names: Iterable[str], lenient: bool = False) -> Keyring:
    """Unwrap the named keys of a data folder and no others, making the keystore on first use.

    Raises KeyFault when the KEK or keystore is missing where data is real, readable by others, or does not fit, and
    when a named key was destroyed. `lenient` opens what others can read too: only to enter a refusal in the audit.
    """
    wanted, path = set(names), folder.keys / STORE_FILE
    if unknown := wanted - set(STANDING_KEYS):
        raise ValueError(f"no such key: {', '.join(sorted(unknown))}")
    if not path.exists() or not set(STANDING_KEYS) <= set(Keystore.read(path).entries):
        with _alone(folder):
            _make_keys(folder, settings, path)
    kek, origin = key_encryption_key(folder, settings, lenient=lenient)
    if not lenient:
        _refuse_readable(path)
    store = Keystore.read(path)
    if gone := [name for name in sorted(wanted) if (entry := store.entries[name]).destroyed or not entry.wrapped]:
        raise KeyFault(
            f"The key `{gone[0]}` was destroyed ({store.entries[gone[0]].destroyed}): what it sealed can't be opened."
        )
    return Keyring(store.unwrapped(kek, wanted), origin)


def rotate(folder: DataFolder, settings: Settings, new: Path | None) -> str:
    """Wrap every key anew with the key-encryption key of a file, made if it isn't there; returns where that is.

    Without a file the folder's own is replaced, where it has one. No data is touched. Raises KeyFault.
    """
    own, path = folder.keys / "demo.kek", folder.keys / STORE_FILE
    with _alone(folder):
        kek, _ = key_encryption_key(folder, settings)
        store = Keystore.read(path)
        keys = store.unwrapped(kek)
        if new is None and any(name in os.environ for name in _FROM_OUTSIDE):
            raise KeyFault("The key-encryption key comes from outside: name a file for the next one with --new.")
        target = new.expanduser().resolve() if new else own.with_suffix(".next")
        if new is not None and folder.root in target.parents:
            raise KeyFault("A key-encryption key lies outside the data folder, or a copy of the folder opens itself.")
        if not target.exists():
            write_atomically(target, secrets.token_hex(KEY_BYTES).encode(), mode=0o400)
        store.wrapping(keys, _from_file(target)).write()
        if new is None:
            target.replace(own)
    return str(target if new else own)


def destroy(folder: DataFolder, name: str) -> None:
    """Destroy a key for good: what it sealed can't be opened again. Raises KeyFault."""
    with _alone(folder):
        Keystore.read(folder.keys / STORE_FILE).without(name).write()


def restore(folder: DataFolder, settings: Settings, keys: Mapping[str, bytes], needed: Mapping[str, str]) -> None:
    """Write the keystore anew from escrowed keys, under the key-encryption key at hand. `needed` are keys that the
    escrow lacks though something lies sealed under them, and what.

    Raises KeyFault where the keystore still opens: it needs no restoring; and for a key that is needed.
    """
    path = folder.keys / STORE_FILE
    with _alone(folder):
        kek, _ = key_encryption_key(folder, settings, restoring=True)
        if path.exists():
            try:
                Keystore.read(path).unwrapped(kek)
            except KeyFault:
                pass
            else:
                raise KeyFault(f"{path} opens as it is: there is nothing to restore.")
        for name, held in needed.items():
            raise KeyFault(
                f"The escrow lacks the key `{name}`, under which lies sealed: {held}. It is older than that key, and "
                "a new one would open none of it: restore from a newer escrow. Nothing was changed."
            )
        if path.exists():
            path.replace(path.with_suffix(".before-restore"))
        Keystore(path).wrapping(keys, kek).write()


def _make_keys(folder: DataFolder, settings: Settings, path: Path) -> None:
    """The keystore, or the keys that it lacks because a newer version has more."""
    kek, _ = key_encryption_key(folder, settings)
    store = Keystore.read(path) if path.exists() else Keystore(path)
    if not store.entries and (held := _sealed_by_lost_keys(folder)):
        raise KeyFault(
            f"{path} is missing, but {held} was sealed with its keys: restore the keystore from its escrow "
            "(`boroughlink keys restore`)."
        )
    store.unwrapped(kek)
    store.with_new(set(STANDING_KEYS), kek).write()


def _sealed_by_lost_keys(folder: DataFolder) -> Path | None:
    """Something of the folder that only a keystore can have sealed, if any is there: new keys would open none of it."""
    files = (folder.identity, folder.attributes, folder.operations)
    inside = (path for kept in (folder.archive, folder.published, folder.releases) for path in kept.glob("*"))
    return next((path for path in (*files, *inside) if path.exists()), None)


@contextmanager
def _alone(folder: DataFolder) -> Iterator[None]:
    """One process at a time makes keys: a reading command beside the first run must not make others."""
    with (folder.keys / "making.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def key_encryption_key(
    folder: DataFolder, settings: Settings, restoring: bool = False, lenient: bool = False
) -> tuple[bytes, str]:
    """The KEK, and where it came from. Raises KeyFault."""
    if given := os.environ.get("BOROUGHLINK_KEK"):
        return _parsed(os.fsencode(given), "the environment variable BOROUGHLINK_KEK"), "the environment"
    if named := os.environ.get("BOROUGHLINK_KEK_FILE"):
        if (owner := _owner(Path(named))) not in (None, 0, os.geteuid(), _owner(folder.root)):
            raise KeyFault(f"{named} belongs to another (user id {owner}), who can read and change it: `chown` it.")
        return _from_file(Path(named), lenient), f"the file {named}"
    if command := os.environ.get("BOROUGHLINK_KEK_COMMAND"):
        try:
            ran = subprocess.run(shlex.split(command), capture_output=True, timeout=60, check=True)  # noqa: S603
        except (OSError, ValueError, subprocess.SubprocessError):
            raise KeyFault("BOROUGHLINK_KEK_COMMAND failed; run it by hand to see why.") from None
        return _parsed(ran.stdout, "the output of BOROUGHLINK_KEK_COMMAND"), "a command"
    own = folder.keys / "demo.kek"
    if settings.holds == "real":
        raise KeyFault(
            "Real data needs a key-encryption key from outside the data folder: set BOROUGHLINK_KEK_FILE, "
            "BOROUGHLINK_KEK_COMMAND or BOROUGHLINK_KEK (64 hex digits)."
        )
    if (folder.keys / "demo.next").exists():  # a rotation was cut off: the keystore says whether before or after
        _end_rotation(folder)
    if not own.exists():
        if (folder.keys / STORE_FILE).exists() and not restoring:
            raise KeyFault(f"{own} is missing: set BOROUGHLINK_KEK_FILE, or restore it.")
        write_atomically(own, secrets.token_hex(KEY_BYTES).encode(), mode=0o400)
    return _from_file(own, lenient), f"{own}, made by this folder itself: fit for invented people only"


def _end_rotation(folder: DataFolder) -> None:
    following = folder.keys / "demo.next"
    try:
        Keystore.read(folder.keys / STORE_FILE).unwrapped(_from_file(following))
    except KeyFault:
        following.unlink()
    else:
        following.replace(folder.keys / "demo.kek")


def _from_file(path: Path, lenient: bool = False) -> bytes:
    if not path.is_file():
        raise KeyFault(f"The key file {path} is not there.")
    if not lenient:
        _refuse_readable(path)
    return _parsed(path.read_bytes(), str(path))


def _parsed(text: bytes, origin: str) -> bytes:
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFault(f"{origin} must be {KEY_BYTES * 2} hex digits.")
    return key


def _owner(path: Path) -> int | None:
    return path.stat().st_uid if path.exists() else None


def _refuse_readable(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyFault(f"{path} can be read by others (mode {mode:04o}): run `chmod 600 {path}`, then change the key.")
