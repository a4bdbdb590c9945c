"""The one function that makes pseudonyms: HMAC-SHA256 under a release's own key over random ids."""

import hmac
from collections.abc import Sequence

PREFIXES = {"person": "p_", "household": "h_", "property": "a_"}
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def pseudonym(key: bytes, kind: str, ids: Sequence[str]) -> list[str]:
    """Pseudonyms in the order of `ids`: a two-letter prefix and 26 characters of Crockford base 32 (128 bits)."""
    prefix, label = PREFIXES[kind], kind.encode() + b"\0"
    return [prefix + crockford(hmac.digest(key, label + one.encode(), "sha256")[:16]) for one in ids]


def crockford(data: bytes) -> str:
    """Crockford's base 32, most significant digit first."""
    number, length = int.from_bytes(data, "big"), (len(data) * 8 + 4) // 5
    return "".join(_CROCKFORD[(number >> (5 * place)) & 31] for place in range(length - 1, -1, -1))
