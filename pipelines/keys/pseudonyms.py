"""Names that only a key gives: pseudonyms under a release's own key, lasting names under the data folder's."""

import base64
import hmac
from collections.abc import Sequence

from pipelines.keys.keyring import Keyring

PREFIXES = {"person": "p_", "household": "h_", "property": "a_"}
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def pseudonym(key: bytes, kind: str, ids: Sequence[str]) -> list[str]:
    """Pseudonyms of random ids, in their order: HMAC-SHA256, as a prefix and 26 characters of Crockford base 32.

    `key` is the release's own, so that two releases share none; 128 bits.
    """
    prefix, label = PREFIXES[kind], kind.encode() + b"\0"
    return [prefix + crockford(hmac.digest(key, label + one.encode(), "sha256")[:16]) for one in ids]


def lasting_name(keys: Keyring, prefix: str, *said: str) -> str:
    """The same name in every run for the same words: a prefix and 80 bits of a keyed hash."""
    return prefix + base64.b32encode(keys.hmac("fingerprint", "\0".join(said).encode())[:10]).decode().lower()


def record_name(keys: Keyring, record_id: str) -> str:
    """What a record is called where its id, which holds a source's key, may not stand: decisions, the audit."""
    return lasting_name(keys, "r_", "record", record_id)


def crockford(data: bytes) -> str:
    """Crockford's base 32, most significant digit first."""
    number, length = int.from_bytes(data, "big"), (len(data) * 8 + 4) // 5
    return "".join(_CROCKFORD[(number >> (5 * place)) & 31] for place in range(length - 1, -1, -1))
