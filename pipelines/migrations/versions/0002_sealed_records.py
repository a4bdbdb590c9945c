"""A decision names its records by keyed names; which records they are lies sealed, so that it can be erased."""

import json
import secrets

import sqlalchemy as sa
from alembic import context, op

from pipelines.keys.keyring import Keyring
from pipelines.keys.pseudonyms import record_name

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    keyring: Keyring = context.config.attributes["keyring"]
    op.add_column("decision", sa.Column("records", sa.String(32)))
    db = op.get_bind()
    _allow_change(db)
    rows = db.execute(
        sa.text("SELECT decision_id, record_l, record_r, fingerprint_l, fingerprint_r FROM decision")
    ).mappings()
    for row in rows.all():
        sides = sorted((record_name(keyring, row[f"record_{s}"]), row[f"record_{s}"], s) for s in "lr")
        payload_id = secrets.token_hex(16)
        sealed = keyring.encrypt("fields", json.dumps([record for _, record, _ in sides]).encode(), payload_id.encode())
        db.execute(
            sa.text("INSERT INTO payload (payload_id, sealed) VALUES (:payload_id, :sealed)"),
            {"payload_id": payload_id, "sealed": sealed},
        )
        db.execute(
            sa.text(
                "UPDATE decision SET record_l = :record_l, record_r = :record_r, fingerprint_l = :fingerprint_l, "
                "fingerprint_r = :fingerprint_r, records = :records WHERE decision_id = :decision_id"
            ),
            {
                "record_l": sides[0][0],
                "record_r": sides[1][0],
                "fingerprint_l": row[f"fingerprint_{sides[0][2]}"],
                "fingerprint_r": row[f"fingerprint_{sides[1][2]}"],
                "records": payload_id,
                "decision_id": row["decision_id"],
            },
        )
    _forbid_change(db)


def _allow_change(db: sa.Connection) -> None:
    if db.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            db.exec_driver_sql(f"DROP TRIGGER decision_no_{verb}")
        return
    db.exec_driver_sql("DROP TRIGGER decision_append_only ON decision")


def _forbid_change(db: sa.Connection) -> None:
    if db.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            db.exec_driver_sql(
                f"CREATE TRIGGER decision_no_{verb.lower()} BEFORE {verb} ON decision "
                "BEGIN SELECT RAISE(ABORT, 'decision is append-only'); END"
            )
        return
    db.exec_driver_sql(
        "CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE ON decision "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
