"""Keys: random, independent, wrapped by one key-encryption key (KEK) that never lies in the configuration.

The keystore (`keys/keystore.json`) holds each key wrapped (AES key wrap with padding, RFC 5649). The KEK comes from the
environment (`BOROUGHLINK_KEK`, 64 hex digits), from a file (`BOROUGHLINK_KEK_FILE`) or from a command's output
(`BOROUGHLINK_KEK_COMMAND`); a folder of invented people may make its own (`keys/demo.kek`).
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import shlex
import stat
import subprocess  # the council's own key command, from its own environment
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding, aes_key_wrap_with_padding

from pipelines.settings import BoroughlinkError, DataFolder, Settings, write_atomically

STANDING_KEYS = ("identity", "attributes", "published", "archive", "fields", "ids", "fingerprint", "audit")
KEY_BYTES = 32


class KeyFault(BoroughlinkError):
    """A key is missing, readable by others, or does not fit."""


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


def open_keyring(folder: DataFolder, settings: Settings, names: tuple[str, ...] = STANDING_KEYS) -> Keyring:
    """Unwrap the named keys of a data folder, making the keystore on first use.

    Raises KeyFault when the KEK or keystore is missing where data is real, readable by others, or does not fit.
    """
    store = folder.keys / "keystore.json"
    if not store.exists():
        with _alone(folder):
            _make_keystore(folder, settings, store)
    kek, origin = _kek(folder, settings)
    _refuse_readable(store)
    return Keyring({name: key for name, key in _unwrapped(store, kek).items() if name in names}, origin)


def _make_keystore(folder: DataFolder, settings: Settings, store: Path) -> None:
    kek, _ = _kek(folder, settings)
    if store.exists():  # another process was first
        return
    if held := _sealed_by_lost_keys(folder):
        raise KeyFault(
            f"{store} is missing, but {held} was sealed with its keys: restore the keystore from its escrow."
        )
    keys = {name: secrets.token_bytes(KEY_BYTES) for name in STANDING_KEYS}
    write_atomically(store, _wrapped(keys, kek))


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


def _wrapped(keys: dict[str, bytes], kek: bytes) -> bytes:
    entries = {name: {"wrapped": aes_key_wrap_with_padding(kek, key).hex()} for name, key in sorted(keys.items())}
    return json.dumps({"version": 1, "keys": entries}, indent=1).encode()


def _unwrapped(store: Path, kek: bytes) -> dict[str, bytes]:
    try:
        entries = json.loads(store.read_text())["keys"]
        return {name: aes_key_unwrap_with_padding(kek, bytes.fromhex(e["wrapped"])) for name, e in entries.items()}
    except InvalidUnwrap:
        raise KeyFault(f"The key-encryption key does not open {store}: it is not the one that wrapped it.") from None
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        raise KeyFault(f"{store} is damaged: restore it from its escrow.") from None


def _kek(folder: DataFolder, settings: Settings) -> tuple[bytes, str]:
    if given := os.environ.get("BOROUGHLINK_KEK"):
        return _parsed(os.fsencode(given), "the environment variable BOROUGHLINK_KEK"), "the environment"
    if named := os.environ.get("BOROUGHLINK_KEK_FILE"):
        return _from_file(Path(named)), f"the file {named}"
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
    if not own.exists():
        if (folder.keys / "keystore.json").exists():
            raise KeyFault(f"{own} is missing: set BOROUGHLINK_KEK_FILE, or restore it.")
        write_atomically(own, secrets.token_hex(KEY_BYTES).encode(), mode=0o400)
    return _from_file(own), f"{own}, made by this folder itself: fit for invented people only"


def _from_file(path: Path) -> bytes:
    if not path.is_file():
        raise KeyFault(f"The key file {path} is not there.")
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


def _refuse_readable(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyFault(f"{path} can be read by others (mode {mode:04o}): run `chmod 600 {path}`, then change the key.")
