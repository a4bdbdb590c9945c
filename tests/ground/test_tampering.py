"""A store that is tampered with by hand, in any row that decides something and in any way: found, and the row named."""

import random
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.governance import approvals, audit
from pipelines.governance.actors import Actor
from pipelines.governance.opt_out import import_list
from pipelines.governance.row_checks import TABLES, first_bad_row
from pipelines.keys.keyring import Keyring
from pipelines.notices.telling import notice_table
from pipelines.operations import Operations
from pipelines.releases.ending import revoke
from pipelines.releases.register import ANSWERED, table_table
from pipelines.releases.store import keep_key, note_copy
from pipelines.settings import DataFolder
from pipelines.source_faults import close_fault, report_fault
from review_app.flagged import add_events
from review_app.kin import declare
from review_app.roles import User
from review_app.tables import state_table, verdict_table

ANN, BOB = Actor("ann"), Actor("bob")
KEYS = Keyring.ephemeral()
WHY = "as agreed with the data protection officer"
#: Tables whose rows say nothing that another act stands on, or that hold themselves.
OTHERS = {"alembic_version", "audit", "payload", "opt_out", "lease", "preference"}
#: A notice that is gone is told again.
NOT_MISSED = {"notice"}


def filled(folder: DataFolder, scratch: Path) -> dict[str, dict]:
    """A store with rows of every kind; returns older states of some, with the MACs that they had."""
    store = Operations.open(folder, KEYS)
    older = {}

    def keep(table: str) -> None:
        with store.begin() as db:
            older[table] = dict(db.execute(sa.text(f"SELECT * FROM {table}")).mappings().first())

    request = approvals.ask(store, ANN, "erasure", "x", WHY, roles=["custodian"])
    approvals.approve(store, Actor("bob", frozenset({"custodian"})), request)
    keep("request")
    approvals.done(store, ANN, approvals.standing(store, request, "erasure"))
    approvals.ask(store, ANN, "erasure", "y", WHY)
    for batch, kind in (("1", "must_link"), ("2", "cannot_link")):
        pair = {"kind": kind, "record_l": "a", "record_r": "b", "reason": "on paper", "inclusion_probability": 1 / 3}
        store.add_decisions([pair], "ann", batch)
        audit.record(store, "ann", "decisions imported", batch, batch=batch, decisions=1)
    store.add_release(
        release_id="r1", run_id="run", purpose="risk", recipient="x", state="built", row_count=1, expires="2027-01-01",
        manifest=f'{{"key": "{keep_key(store, b"k" * 32)}", "made_at": "2026"}}',
    )  # fmt: skip
    audit.record(store, "ann", "release built", "r1")
    note_copy(store, "r1", "age1", "x.age", "abc", ANN)
    audit.record(store, "ann", "release published", "r1", sha256="abc")
    keep("release"), keep("release_copy")
    revoke(store, "r1", WHY, ANN)
    (scratch / "list.csv").write_text("9434765919")
    import_list(store, scratch / "list.csv", date(2026, 11, 1), date(2026, 11, 30), ANN)
    with store.begin() as db:
        row = {
            "table_id": "t_1",
            "base": "person_id",
            "filter": "w_1",
            "made_at": "2026",
            "sealed": store.seal(db, "q"),
        }
        store.write_rows(db, table_table, [row])
        audit.append(store, db, "ann", ANSWERED, "t_1")
        for number, stands in ((1, "second"), (2, "done")):
            row = {
                "item_id": "q_1", "run_id": "run", "version": "v", "part": "first", "verdict": "same", "made_by": "ann",
                "made_at": "2026", "seconds": 7, "blind": False, "records": store.seal(db, "[]"),
            }  # fmt: skip
            written = store.write_rows(db, verdict_table, [row])
            state = {"item_id": "q_1", "state": stands, "version": "v", "updated_at": "2026", "first_by": "ann"}
            db.execute(sa.delete(state_table))
            store.write_rows(db, state_table, [state])
            audit.append(store, db, "ann", "verdict given", "q_1", number=written, stands=stands)
            if number == 1:
                older["item_state"] = dict(db.execute(sa.text("SELECT * FROM item_state")).mappings().one())
        row = {"at": "2026", "event": "e", "subject": "s", "mark": "m", "channel": "c", "state": "sent"}
        store.write_rows(db, notice_table, [row])
    declare(store, User("ann", frozenset()), "self", "a")
    add_events(store, "f_1", "ann", [{"kind": "state", "value": "closed"}, {"kind": "outcome", "amount": "12.50"}])
    report_fault(store, source="x", record_id="x:1", column="name", kind="missing", note="n", by="ann")
    keep("source_fault")
    close_fault(store, 1, "mended", "corrected", "bob")
    store.start_run("run", "ann")
    keep("run")
    store.end_run("run", "committed", True, "m", {"rows": 1})
    audit.record(store, "ann", "run committed", "run")
    assert first_bad_row(store) is None
    store.close()
    return older


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> tuple[Path, dict[str, dict]]:
    scratch = tmp_path_factory.mktemp("template")
    folder = DataFolder.at(scratch / "data").make()
    older = filled(folder, scratch)
    with closing(sqlite3.connect(folder.operations)) as db:
        for trigger in [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]:
            db.execute(f"DROP TRIGGER {trigger}")  # as whoever has the database can
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder.operations, older


def tampered(db: sqlite3.Connection, older: dict[str, dict], rng: random.Random) -> tuple[str, str]:
    """Change something by hand; returns what was done, and the table in which it must be found."""
    db.row_factory = sqlite3.Row
    table = rng.choice(sorted(TABLES))
    row = dict(rng.choice(db.execute(f"SELECT rowid AS place, * FROM {table}").fetchall()))
    place, columns = row.pop("place"), list(row)
    way = rng.choice(["change", "change", "put in", "take out", "put back", "empty", "take text"])
    sealed = [row[name] for name in TABLES[table] if row[name]]
    if way == "take out" and table not in NOT_MISSED:
        db.execute(f"DELETE FROM {table} WHERE rowid = ?", [place])
    elif way == "put in":
        (key,) = [each["name"] for each in db.execute(f"PRAGMA table_info({table})") if each["pk"]]
        row[key] = 99 if isinstance(row[key], int) else "2026-01-01"
        if table == "decision":
            row["batch"] = "3"
        db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", list(row.values()))
    elif way == "put back" and table in older:
        told = ", ".join(f"{name} = ?" for name in older[table])
        (key,) = [each["name"] for each in db.execute(f"PRAGMA table_info({table})") if each["pk"]]
        db.execute(f"UPDATE {table} SET {told} WHERE {key} = ?", [*older[table].values(), older[table][key]])
    elif way == "empty" and sealed:
        db.execute("UPDATE payload SET sealed = x'' WHERE payload_id = ?", [rng.choice(sealed)])
        table = "payload"
    elif way == "take text" and sealed:
        db.execute("DELETE FROM payload WHERE payload_id = ?", [rng.choice(sealed)])
        table = "payload"
    else:
        column, other = rng.choice(columns), rng.choice(["x", "0", "", None, 7, "2026-12-01"])
        if row[column] in (0, 1):  # of yes and no any other value says one of them
            other = 1 - row[column]
        elif str(other) == str(row[column]):
            other = rng.randrange(10**6)
        try:
            db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", [other, place])
        except sqlite3.IntegrityError:  # of what must not be null, and the check of two people
            db.execute(f"UPDATE {table} SET mac = 'x' WHERE rowid = ?", [place])
        way = f"change {column} to {other!r}"
    db.commit()
    return way, table


def each_is_found(template: tuple[Path, dict[str, dict]], scratch: Path, times: int) -> None:
    path, older = template
    rng, ways, tables = random.Random(11), set(), set()
    for _ in range(times):
        shutil.copyfile(path, scratch / "operations.sqlite")
        with closing(sqlite3.connect(scratch / "operations.sqlite")) as db:
            way, table = tampered(db, older, rng)
        engine = sa.create_engine(f"sqlite:///{scratch / 'operations.sqlite'}")
        found = first_bad_row(Operations(engine, KEYS))
        engine.dispose()
        assert found is not None and found[0] in (table, "opt_out_list"), (way, table, found)
        ways.add(way.split()[0]), tables.add(table)
    if times >= len(TABLES) * 7:
        assert ways == {"change", "put", "take", "empty"} and tables == {*TABLES, "payload"}


def test_every_table_by_which_something_is_decided_is_covered(template):
    with closing(sqlite3.connect(template[0])) as db:
        every = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        covered = {name for name in every if any(row[1] == "mac" for row in db.execute(f"PRAGMA table_info({name})"))}
        counts = {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}
    assert every == set(TABLES) | OTHERS
    assert covered - {"audit"} == set(TABLES)
    assert all(counts.values()), counts


def test_tampering_with_rows_is_found(template, tmp_path):
    each_is_found(template, tmp_path, 100)


@pytest.mark.prove
def test_a_thousand_tamperings_with_rows_are_found(template, tmp_path):
    each_is_found(template, tmp_path, 1000)
