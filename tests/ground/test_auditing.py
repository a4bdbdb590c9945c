"""The audit read, and held against heads outside it: who looked; what a store lacks that was cut off or replaced."""

import json

import pytest
import sqlalchemy as sa

from pipelines.custody import auditing
from pipelines.faults import BoroughlinkError
from pipelines.governance import actors, anchors, audit
from pipelines.operations import standing_store
from pipelines.settings import DataFolder, remember
from pipelines.store_tables import audit_table


@pytest.fixture
def folder(tmp_path):
    return DataFolder.at(tmp_path / "data").make()


def test_who_looked_and_what_was_seen(folder, monkeypatch):
    with standing_store(folder) as store:
        audit.record(store, "ann", "person explained", "data_quality", person="f00d")
        audit.record(store, "bob", "pair explained", "data_quality", records=["r_x", "r_y"])
        audit.record(store, "Bob, by Dagster's page", "run committed", "run 1")
        audit.record(store, "ann", "clusters exported", "c.csv", rows=5, purpose="data_quality")
    monkeypatch.setenv(actors.PLAYED, "auditor")
    about = auditing.looks_at(folder, "f00d")
    assert [row[2] for row in about.tables[0][2]] == ["ann", "auditor"]
    assert [row[3] for row in about.tables[1][2]] == ["clusters exported"]
    assert [row[3] for row in auditing.seen_by(folder, "BOB@council.gov.uk").tables[0][2]] == [
        "pair explained",
        "run committed",
    ]
    with standing_store(folder) as store:
        last = audit.entries(store)[-1]
    assert (last["actor"], last["event"]) == ("auditor", "audit of a user read")


def test_a_folder_that_was_moved_is_still_held_against_its_anchors(folder, tmp_path):
    remember(folder, anchor=tmp_path / "heads")
    with standing_store(folder) as store:
        for n in range(5):
            audit.record(store, "ann", "looked", str(n))
        anchors.anchor(store)
    with standing_store(folder) as store, store.begin() as db:
        db.exec_driver_sql("DROP TRIGGER audit_no_delete")
        db.execute(sa.delete(audit_table).where(audit_table.c.seq > 3))
    moved = DataFolder.at(folder.root.rename(tmp_path / "elsewhere"))
    fine, answer = auditing.verified(moved)
    assert not fine and answer.data["first bad entry"] == 4


def test_what_is_cut_off_or_replaced_shows_against_the_anchor(folder, tmp_path):
    remember(folder, anchor=tmp_path / "heads")
    with standing_store(folder) as store:
        for n in range(5):
            audit.record(store, "ann", "looked", str(n))
        anchors.anchor(store)
    whole = folder.operations.read_bytes()
    assert auditing.verified(folder)[0]
    with standing_store(folder) as store, store.begin() as db:
        db.exec_driver_sql("DROP TRIGGER audit_no_delete")
        db.execute(sa.delete(audit_table).where(audit_table.c.seq > 3))
    fine, answer = auditing.verified(folder)
    assert not fine and answer.data["first bad entry"] == 4 and "missing" in answer.said[0]
    folder.operations.unlink()  # a store made anew, unbroken in itself
    with standing_store(folder) as store:
        for n in range(9):
            audit.record(store, "ann", "looked", str(n))
        assert audit.verify(store) == (9, None)
    assert auditing.verified(folder)[1].data["first bad entry"] == 5
    folder.operations.write_bytes(whole)
    assert auditing.verified(folder)[0]
    (tmp_path / "heads").write_text(json.dumps({"folder": str(folder.root)}))
    with pytest.raises(BoroughlinkError, match="line 1"):
        auditing.verified(folder)
