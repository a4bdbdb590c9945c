"""Sealed texts of the operational store: what is erased says so under a MAC, so that nobody erases by hand unseen."""

import hmac
import secrets
from typing import Any

from pipelines.keys.keyring import Keyring
from pipelines.keys.row_macs import RowChanged


def sealed_payload(keyring: Keyring, text: bytes, key: str = "fields") -> dict[str, Any]:
    """A row of `payload`: the text, encrypted and bound to the id that it gets."""
    payload_id = secrets.token_hex(16)
    return {"payload_id": payload_id, "sealed": keyring.encrypt(key, text, payload_id.encode())}


def erased(keyring: Keyring, payload_id: str) -> bytes:
    """What stands in the place of a text that was erased."""
    return keyring.hmac("audit", f"erased payload {payload_id}".encode())


def opened(keyring: Keyring, payload_id: str, sealed: bytes | None, key: str = "fields") -> bytes | None:
    """A sealed text; None when it was erased. Raises RowChanged when it is gone or was emptied by hand, KeyFault when
    it does not open."""
    if not sealed:
        raise RowChanged("payload", payload_id, "is gone" if sealed is None else "was emptied by hand")
    if hmac.compare_digest(sealed, erased(keyring, payload_id)):
        return None
    return keyring.decrypt(key, sealed, payload_id.encode())
