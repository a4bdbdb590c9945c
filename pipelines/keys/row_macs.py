"""Rows of the operational store that decide something carry a keyed MAC: who changes one by hand is found out.

The audit's key makes it, over the table's name and every other column: a migration that adds one makes the MACs anew.
What a MAC can't show, that a row is gone or is an older one put back, the audit shows (`row_checks`).
"""

import hmac
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pipelines.faults import Refusal
from pipelines.keys.keyring import Keyring

MAC = "mac"
Row = Mapping[Any, Any]


class RowChanged(Refusal):
    """A row of the store is not as this software wrote it."""

    def __init__(self, table: str, row_id: object, why: str = "is not as it was written") -> None:
        self.table, self.row_id, self.why = table, row_id, why
        super().__init__(
            f"The operational store, table `{table}`, row {row_id}: it {why}, so nothing is decided by it. See "
            "`boroughlink audit verify`, then restore the store from its backup, or ask for the act anew."
        )


def mac_of(keyring: Keyring, table: str, row: Row) -> str:
    """The MAC of a row as the database gives it back."""
    said = json.dumps({name: value for name, value in row.items() if name != MAC}, sort_keys=True, default=str)
    return keyring.hmac("audit", f"row of {table}\n{said}".encode()).hex()


def with_mac(keyring: Keyring, table: sa.Table, row: Row) -> dict[str, Any]:
    """Every column of a row as the database will give it back, its MAC among them."""
    whole = {column.name: _kept(column, row.get(column.name)) for column in table.c}
    return whole | {MAC: mac_of(keyring, table.name, whole)}


def _kept(column: sa.Column[Any], value: Any) -> Any:
    return float(value) if value is not None and isinstance(column.type, sa.Float) else value


def as_written(keyring: Keyring, table: sa.Table, row: Row) -> bool:
    """Whether a row, which may come with columns of other tables, is as it was written."""
    own = {name: row[name] for name in table.c.keys()}  # noqa: SIM118 (columns are what iterating gives)
    return hmac.compare_digest(own[MAC] or "", mac_of(keyring, table.name, own))


def require_as_written(keyring: Keyring, table: sa.Table, row: Row) -> None:
    """Raises RowChanged."""
    if not as_written(keyring, table, row):
        raise RowChanged(table.name, *(row[key.name] for key in table.primary_key))


def rewrite(db: sa.Connection, keyring: Keyring, table: sa.Table, row: Row, *still: Any, **new: Any) -> bool:
    """Change a row as it was read, if it is still so (`still`, conditions); its MAC with it. Raises RowChanged."""
    require_as_written(keyring, table, row)
    (key,) = table.primary_key
    values = with_mac(keyring, table, dict(row) | new)
    return db.execute(sa.update(table).where(key == row[key.name], *still).values(values)).rowcount == 1
