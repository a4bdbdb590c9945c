"""The fingerprint of a record: a keyed HMAC over what says who it is, so that a decision knows when that changes.

Moving house changes nothing; another name, birth date, sex or number does.
"""

from pipelines.warehouse import Warehouse

FIELDS = ("forename", "middle", "surname", "birth_date", "sex", "nino", "nhs_number")
_BLOCK = 64


def fingerprint_sql() -> str:
    """HMAC-SHA256 (RFC 2104) as an expression over FIELDS; the variables of `set_key` hold the two padded keys."""
    said = " || '|' || ".join(f"coalesce({field}::VARCHAR, '')" for field in FIELDS)
    inner = f"unhex(sha256(getvariable('fingerprint_inner') || encode({said})))"
    return f"left(sha256(getvariable('fingerprint_outer') || {inner}), 32)"


def set_key(wh: Warehouse, key: bytes) -> None:
    """Put the padded keys where the expression reads them; they live and die with the connection."""
    padded = key.ljust(_BLOCK, b"\0")
    for name, pad in (("inner", 0x36), ("outer", 0x5C)):
        wh.execute(f"SET VARIABLE fingerprint_{name} = ?::BLOB", [bytes(byte ^ pad for byte in padded)])
