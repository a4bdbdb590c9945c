import random
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.faults import BoroughlinkError
from pipelines.governance import audit
from pipelines.keys.keyring import Keyring
from pipelines.operations import Operations
from pipelines.releases.store import destroy_key, keep_key
from pipelines.settings import DataFolder
from pipelines.store_tables import audit_table, metadata, payload_table
from tests.ground.older_store import older_store


@pytest.fixture
def store(tmp_path):
    operations = Operations.open(DataFolder.at(tmp_path / "data").make(), Keyring.ephemeral())
    yield operations
    operations.close()


def pair(left, right, kind="must_link", **more):
    return {"kind": kind, "record_l": left, "record_r": right, **more}


def test_migrations_and_tables_agree(store):
    inspector = sa.inspect(store.engine)
    for table in metadata.sorted_tables:
        assert {c["name"] for c in inspector.get_columns(table.name)} == set(table.columns.keys())


def test_decisions_are_pairs_in_order_with_sealed_reasons(store):
    assert (
        store.add_decisions(
            [pair("b", "a", reason="both of 3 Acacia", fingerprint_l="fb", fingerprint_r="fa")], "ann", "1"
        )
        == 1
    )
    (row,) = store.decisions()
    assert (row["record_l"], row["record_r"], row["fingerprint_l"], row["fingerprint_r"]) == ("a", "b", "fa", "fb")
    assert store.reason(row["reason"]) == "both of 3 Acacia"
    store.engine.dispose()
    assert b"Acacia" not in Path(store.engine.url.database).read_bytes()


SECRET = ("council_tax:CANARY1", "housing:CANARY2")


def stored(store):
    """Every byte of the store's files."""
    store.engine.dispose()
    path = Path(store.engine.url.database)
    return b"".join(part.read_bytes() for part in sorted(path.parent.glob(path.name + "*")))


def test_a_sources_key_stands_nowhere_in_clear_and_can_be_erased(store):
    store.add_decisions([pair(*SECRET, reason="CANARY3", fingerprint_l="f1", fingerprint_r="f2")], "ann", "1")
    store.add_decisions([pair("a", "b")], "ann", "2")
    assert b"CANARY" not in stored(store)
    (row,) = [row for row in store.decisions() if row["record_l"] == SECRET[0]]
    assert (row["record_r"], row["fingerprint_l"], row["fingerprint_r"]) == (SECRET[1], "f1", "f2")
    assert store.erase_records([SECRET[1]]) == 1
    assert [row["record_l"] for row in store.decisions()] == ["a"]
    assert store.reason(row["reason"]) is None


def test_decisions_of_an_older_store_are_sealed_and_stand(tmp_path):
    folder, keyring = DataFolder.at(tmp_path / "data").make(), Keyring.ephemeral()
    engine = older_store(folder, keyring, "0001")
    with engine.begin() as db:
        for number in range(40):
            db.exec_driver_sql(
                "INSERT INTO decision (batch, kind, record_l, record_r, fingerprint_l, fingerprint_r, made_by, made_at)"
                " VALUES ('1', 'must_link', ?, ?, ?, ?, 'ann', '2026')",
                (f"{SECRET[0]}{number}", f"{SECRET[1]}{number}", f"l{number}", f"r{number}"),
            )
    engine.dispose()
    store = Operations.open(folder, keyring)
    seen = {(row["record_l"], row["record_r"], row["fingerprint_l"], row["fingerprint_r"]) for row in store.decisions()}
    assert seen == {(f"{SECRET[0]}{n}", f"{SECRET[1]}{n}", f"l{n}", f"r{n}") for n in range(40)}
    with pytest.raises(sa.exc.IntegrityError), store.begin() as db:
        db.exec_driver_sql("DELETE FROM decision")
    store.close()
    assert b"CANARY" not in stored(store)


def test_the_latest_decision_of_a_pair_stands(store):
    store.add_decisions([pair("a", "b")], "ann", "1")
    store.add_decisions([pair("b", "a", "cannot_link")], "bob", "2")
    assert [row["kind"] for row in store.decisions()] == ["cannot_link"]


def test_a_batch_is_taken_once_and_whole(store):
    assert store.add_decisions([pair("a", "b"), pair("a", "c")], "ann", "1") == 2
    assert store.add_decisions([pair("a", "b"), pair("a", "c")], "ann", "1") == 0
    with pytest.raises(BoroughlinkError, match="none was taken"):
        store.add_decisions([pair("x", "y"), pair("y", "x")], "ann", "2")
    assert len(store.decisions()) == 2


@pytest.mark.parametrize(
    "statement", ["UPDATE decision SET kind = 'unsure'", "DELETE FROM decision", "DELETE FROM audit"]
)
def test_decisions_and_audit_are_append_only(store, statement):
    store.add_decisions([pair("a", "b")], "ann", "1")
    audit.record(store, "ann", "looked", "x")
    with pytest.raises(sa.exc.IntegrityError), store.begin() as db:
        db.exec_driver_sql(statement)


def _tamper(store, kind, seq, last):
    with store.begin() as db:
        for trigger in ("audit_no_update", "audit_no_delete"):
            db.exec_driver_sql(f"DROP TRIGGER IF EXISTS {trigger}")
        if kind == "edit":
            db.execute(sa.update(audit_table).where(audit_table.c.seq == seq).values(detail='{"n": -1}'))
        elif kind == "delete":
            db.execute(sa.delete(audit_table).where(audit_table.c.seq == seq))
        elif kind == "swap":
            other = seq % last + 1
            for old, new in ((seq, 10**6), (other, seq), (10**6, other)):
                db.execute(sa.update(audit_table).where(audit_table.c.seq == old).values(seq=new))
        else:
            db.execute(sa.delete(audit_table).where(audit_table.c.seq >= seq))


def tampering_is_found(tmp_path, times):
    rng = random.Random(7)
    for number in range(times):
        store = Operations.open(DataFolder.at(tmp_path / str(number)).make(), Keyring.ephemeral())
        for n in range(12):
            audit.record(store, "ann", "looked", f"object {n}", n=n)
        head = audit.anchor(store)
        assert audit.verify(store, [head]) == (12, None)
        kind, seq = rng.choice(["edit", "delete", "swap", "cut"]), rng.randint(1, 12)
        _tamper(store, kind, seq, 12)
        _, bad = audit.verify(store, [head])
        assert bad is not None, (kind, seq)
        assert bad <= max(seq, seq % 12 + 1), (kind, seq)
        store.close()


def test_tampering_is_found(tmp_path):
    tampering_is_found(tmp_path, 12)


@pytest.mark.prove
def test_a_thousand_tamperings_are_found(tmp_path):
    tampering_is_found(tmp_path, 1000)


def test_another_key_verifies_nothing(store):
    audit.record(store, "ann", "looked", "x")
    assert audit.verify(Operations(store.engine, Keyring.ephemeral(b"other"))) == (0, 1)


def test_what_an_abandoned_run_built_is_withdrawn(store):
    for run, state in (("kept", "committed"), ("lost", "abandoned")):
        store.start_run(run, "ann")
        store.add_release(
            release_id=run,
            run_id=run,
            purpose="risk",
            recipient="x",
            state="built",
            row_count=1,
            expires="2027-01-01",
            manifest="{}",
        )
        store.end_run(run, state, False, None, {})
    with store.begin() as db:
        found = dict(db.execute(sa.text("SELECT release_id, state FROM release")).all())
    assert found == {"kept": "built", "lost": "withdrawn"}


def test_what_is_erased_is_in_no_file_of_the_store_even_while_the_app_holds_it_open(store):
    url = store.engine.url.database
    held = Operations.open(DataFolder.at(Path(url).parent), store.keyring)
    with held.begin() as db:
        db.execute(sa.select(payload_table.c.payload_id)).all()
    kept, gone = keep_key(store, b"k" * 32), keep_key(store, b"g" * 32)
    with store.begin() as db:
        sealed = dict(db.execute(sa.select(payload_table.c.payload_id, payload_table.c.sealed)).all())
    destroy_key(store, gone)
    files = b"".join(path.read_bytes() for path in Path(url).parent.glob("operations.sqlite*"))
    held.close()
    assert sealed[kept] in files and sealed[gone] not in files
