"""New ids: random-looking, from a generator keyed per data folder, so that two runs from one state agree."""

import hashlib
import hmac

import numpy as np
import polars as pl

from linkage_models.identity import Draw
from pipelines.warehouse import Warehouse

ISSUED = "identity.linkage.issued"
_BYTES = 10  # 80 bits: two of 10 million ids collide with odds of one in 10^10
_CROCKFORD = np.frombuffer(b"0123456789abcdefghjkmnpqrstvwxyz", dtype=np.uint8)


def drawer(wh: Warehouse, key: bytes, view: str, kind: str, prefix: str) -> Draw:
    """A `draw(n)` that never gives an id of this view and kind twice: it notes in ISSUED how many were drawn."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {ISSUED} (view VARCHAR, kind VARCHAR, drawn BIGINT)")

    def draw(count: int) -> pl.Series:
        if count == 0:
            return pl.Series(dtype=pl.String)
        start = int(
            wh.scalar(f"SELECT coalesce(max(drawn), 0) FROM {ISSUED} WHERE view = ? AND kind = ?", [view, kind])
        )
        wh.execute(f"DELETE FROM {ISSUED} WHERE view = ? AND kind = ?", [view, kind])
        wh.execute(f"INSERT INTO {ISSUED} VALUES (?, ?, ?)", [view, kind, start + count])
        seed = hmac.digest(key, f"{view}/{kind}/{start}".encode(), "sha256")
        return prefix + _written(hashlib.shake_256(seed).digest(_BYTES * count))

    return draw


def _written(drawn: bytes) -> pl.Series:
    """Every _BYTES as 16 signs of Crockford's base 32."""
    eights = np.zeros((len(drawn) // 5, 8), dtype=np.uint8)  # 5 bytes, at the end of 8, are 8 signs of 5 bits
    eights[:, 3:] = np.frombuffer(drawn, dtype=np.uint8).reshape(-1, 5)
    signs = _CROCKFORD[eights.view(">u8") >> np.arange(35, -1, -5, dtype=np.uint64) & np.uint64(31)]
    return pl.Series(signs.ravel().view(f"S{_BYTES * 8 // 5}")).cast(pl.String)
