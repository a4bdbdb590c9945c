"""The keystore file: each key wrapped (AES key wrap with padding, RFC 5649) by the key-encryption key (KEK)."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding, aes_key_wrap_with_padding

from pipelines.faults import Refusal
from pipelines.settings import now, write_atomically

KEY_BYTES = 32
STORE_FILE = "keystore.json"


class KeyFault(Refusal):
    """A key is missing, destroyed, readable by others, or does not fit."""


@dataclass(frozen=True)
class Entry:
    """One key: its wrapped form while it is active, and when it was made and destroyed."""

    wrapped: str | None
    created: str = ""
    destroyed: str | None = None


@dataclass(frozen=True)
class Keystore:
    """The entries of `keys/keystore.json`. Never holds a key in clear."""

    path: Path
    entries: Mapping[str, Entry] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Keystore":
        """Raises KeyFault when the file is no keystore."""
        try:
            held = json.loads(path.read_text())["keys"]
            return cls(path, {name: Entry(**entry) for name, entry in held.items()})
        except (ValueError, KeyError, TypeError, AttributeError, OSError):
            raise KeyFault(f"{path} is damaged: restore it from its escrow (`boroughlink keys restore`).") from None

    def write(self) -> None:
        keys = {name: vars(entry) for name, entry in sorted(self.entries.items())}
        write_atomically(self.path, json.dumps({"version": 2, "keys": keys}, indent=1).encode())

    def unwrapped(self, kek: bytes, names: set[str] | None = None) -> dict[str, bytes]:
        """The active keys of these names, or all. Raises KeyFault when the key-encryption key doesn't fit."""
        active = {name: e.wrapped for name, e in self.entries.items() if e.wrapped and (names is None or name in names)}
        try:
            return {name: aes_key_unwrap_with_padding(kek, bytes.fromhex(text)) for name, text in active.items()}
        except InvalidUnwrap:
            raise KeyFault(
                f"The key-encryption key does not open {self.path}: it is not the one that wrapped it."
            ) from None
        except (ValueError, TypeError, AttributeError):
            raise KeyFault(
                f"{self.path} is damaged: restore it from its escrow (`boroughlink keys restore`)."
            ) from None

    @property
    def held(self) -> dict[str, str]:
        """Active keys and when each was made: what tells one set of keys from another, no secret."""
        return {name: entry.created for name, entry in sorted(self.entries.items()) if entry.wrapped}

    def with_new(self, names: set[str], kek: bytes) -> "Keystore":
        """With a fresh random key for each of these names that has no entry; a destroyed key stays destroyed."""
        return self.wrapping({name: secrets.token_bytes(KEY_BYTES) for name in names - set(self.entries)}, kek)

    def wrapping(self, keys: Mapping[str, bytes], kek: bytes) -> "Keystore":
        """With these keys wrapped by this key-encryption key."""
        made = now().isoformat(timespec="seconds")
        wrapped = {}
        for name, key in keys.items():
            created = self.entries[name].created if name in self.entries else made
            wrapped[name] = Entry(aes_key_wrap_with_padding(kek, key).hex(), created)
        return replace(self, entries={**self.entries, **wrapped})

    def without(self, name: str) -> "Keystore":
        """With that key destroyed: only when it was made and destroyed stays. Raises KeyFault."""
        entry = self.entries.get(name)
        if entry is None or not entry.wrapped:
            raise KeyFault(f"There is no key `{name}` to destroy.")
        gone = replace(entry, wrapped=None, destroyed=now().isoformat(timespec="seconds"))
        return replace(self, entries={**self.entries, name: gone})
