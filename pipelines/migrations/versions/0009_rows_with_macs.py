"""Rows that decide something carry a MAC. Those that are there get theirs as they stand, which the audit says."""

import hashlib

import sqlalchemy as sa
from alembic import context, op

from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.keys.row_macs import mac_of
from pipelines.operations import Operations

revision = "0009"
down_revision = "0008"

TABLES = ("decision", "request", "release", "opt_out_list")
#: Once in the life of a store: whoever sets its schema back, to have forged rows believed, is found out by it.
EVENT = "rows believed as they stood"


def upgrade() -> None:
    db = op.get_bind()
    operations = Operations(context.config.attributes["engine"], context.config.attributes["keyring"])
    if db.scalar(sa.text("SELECT count(*) FROM audit WHERE event = :event"), {"event": EVENT}):
        raise BoroughlinkError(
            "The operational store was set back to an older schema by hand, and its rows may be forged: restore its "
            "backup."
        )
    for name in TABLES:
        op.add_column(name, sa.Column("mac", sa.String(64)))
    op.add_column("opt_out_list", sa.Column("names", sa.String(64)))
    _hash_names(db)
    _append_only(db, False)
    given = {name: _give(operations, db, name) for name in TABLES}
    _append_only(db, True)
    if any(given.values()):
        audit.append(operations, db, "boroughlink", EVENT, "schema 0009", **given)


def _hash_names(db: sa.Connection) -> None:
    """The names that are there are those of the newest list."""
    names = sorted(db.scalars(sa.text("SELECT name FROM opt_out")))
    db.execute(
        sa.text("UPDATE opt_out_list SET names = :names WHERE list_date = (SELECT max(list_date) FROM opt_out_list)"),
        {"names": hashlib.sha256("\n".join(names).encode()).hexdigest()},
    )


def _give(operations: Operations, db: sa.Connection, name: str) -> int:
    table = sa.Table(name, sa.MetaData(), autoload_with=db)
    (key,) = table.primary_key
    rows = db.execute(sa.select(table)).mappings().all()
    for row in rows:
        mac = mac_of(operations.keyring, name, row)
        db.execute(sa.update(table).where(key == row[key.name]).values(mac=mac))
    return len(rows)


def _append_only(db: sa.Connection, holds: bool) -> None:
    """Take the triggers off the decisions, or put them back."""
    if db.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            db.exec_driver_sql(
                f"CREATE TRIGGER decision_no_{verb.lower()} BEFORE {verb} ON decision "
                "BEGIN SELECT RAISE(ABORT, 'decision is append-only'); END"
                if holds
                else f"DROP TRIGGER decision_no_{verb.lower()}"
            )
        return
    db.exec_driver_sql(
        "CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE ON decision "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        if holds
        else "DROP TRIGGER decision_append_only ON decision"
    )
