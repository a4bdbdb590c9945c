"""New ids: random-looking, from a generator keyed per data folder, so that two runs from one state agree."""

import base64
import hashlib
import hmac

from linkage_models.identity import Draw
from pipelines.warehouse import Warehouse

ISSUED = "identity.linkage.issued"
_BYTES = 10  # 80 bits: two of 10 million ids collide with odds of one in 10^10
_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz")


def drawer(wh: Warehouse, key: bytes, view: str, kind: str, prefix: str) -> Draw:
    """A `draw(n)` that never gives an id of this view and kind twice: it notes in ISSUED how many were drawn."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {ISSUED} (view VARCHAR, kind VARCHAR, drawn BIGINT)")

    def draw(count: int) -> list[str]:
        if count == 0:
            return []
        start = int(
            wh.scalar(f"SELECT coalesce(max(drawn), 0) FROM {ISSUED} WHERE view = ? AND kind = ?", [view, kind])
        )
        wh.execute(f"DELETE FROM {ISSUED} WHERE view = ? AND kind = ?", [view, kind])
        wh.execute(f"INSERT INTO {ISSUED} VALUES (?, ?, ?)", [view, kind, start + count])
        seed = hmac.digest(key, f"{view}/{kind}/{start}".encode(), "sha256")
        text = base64.b32encode(hashlib.shake_256(seed).digest(_BYTES * count)).translate(_CROCKFORD).decode()
        return [prefix + text[16 * place : 16 * place + 16] for place in range(count)]

    return draw
