"""Every row by which something is decided has a MAC, and what is erased says so; the audit is found by events."""

import sqlalchemy as sa
from alembic import context, op

from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.keys.row_macs import mac_of
from pipelines.keys.sealed_texts import erased
from pipelines.operations import Operations

revision = "0010"
down_revision = "0009"

TABLES = (
    "run", "source_fault", "verdict", "item_state", "declaration", "case_event", "notice", "release_copy",
    "published_table",
)  # fmt: skip
APPEND_ONLY = ("verdict", "case_event")
EVENT = "rows believed as they stood"


def upgrade() -> None:
    db = op.get_bind()
    operations = Operations(context.config.attributes["engine"], context.config.attributes["keyring"])
    # runs tell their schema since this one
    after_it = "SELECT count(*) FROM audit WHERE object = 'schema 0010' OR event LIKE 'run %' AND detail LIKE :told"
    if db.scalar(sa.text(after_it), {"told": '%"schema": "%'}):
        raise BoroughlinkError(
            "The operational store was set back to an older schema by hand, and its rows may be forged: restore its "
            "backup."
        )
    op.create_index("audit_by_event", "audit", ["event"])
    for name in TABLES:
        op.add_column(name, sa.Column("mac", sa.String(64)))
    _append_only(db, False)
    given = {name: _give(operations, db, name) for name in TABLES} | {"erased": _mark_erased(operations, db)}
    _append_only(db, True)
    if any(given.values()):
        audit.append(operations, db, "boroughlink", EVENT, "schema 0010", **given)


def _give(operations: Operations, db: sa.Connection, name: str) -> int:
    table = sa.Table(name, sa.MetaData(), autoload_with=db)
    (key,) = table.primary_key
    rows = db.execute(sa.select(table)).mappings().all()
    for row in rows:
        mac = mac_of(operations.keyring, name, row)
        db.execute(sa.update(table).where(key == row[key.name]).values(mac=mac))
    return len(rows)


def _mark_erased(operations: Operations, db: sa.Connection) -> int:
    gone = db.scalars(sa.text("SELECT payload_id FROM payload WHERE length(sealed) = 0")).all()
    for one in gone:
        mark = {"mark": erased(operations.keyring, one), "payload": one}
        db.execute(sa.text("UPDATE payload SET sealed = :mark WHERE payload_id = :payload"), mark)
    return len(gone)


def _append_only(db: sa.Connection, holds: bool) -> None:
    """Take the triggers off what is append-only, or put them back."""
    for name in APPEND_ONLY:
        if db.dialect.name == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                db.exec_driver_sql(
                    f"CREATE TRIGGER {name}_no_{verb.lower()} BEFORE {verb} ON {name} "
                    f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
                    if holds
                    else f"DROP TRIGGER {name}_no_{verb.lower()}"
                )
            continue
        db.exec_driver_sql(
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            if holds
            else f"DROP TRIGGER {name}_append_only ON {name}"
        )
