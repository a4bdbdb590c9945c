"""A row that decides something and was changed, put in, taken out or put back by hand: refused, named, audited."""

from datetime import date

import pytest
import sqlalchemy as sa

from pipelines.faults import BoroughlinkError, Refusal
from pipelines.governance import approvals, audit
from pipelines.governance.actors import Actor
from pipelines.governance.approvals import ApprovalRefused
from pipelines.governance.opt_out import import_list, opted_out, opted_out_name
from pipelines.governance.row_checks import TABLES, first_bad_row
from pipelines.keys.keyring import Keyring
from pipelines.keys.row_macs import RowChanged
from pipelines.operations import Operations
from pipelines.releases.store import find, update
from pipelines.settings import DataFolder, remember
from pipelines.store_tables import decision_table, release_table, request_table
from tests.ground.older_store import older_store

REASON = "the social worker asked who this is"
ANN, BOB = Actor("ann"), Actor("bob")
SINCE_0010 = TABLES.keys() - {"decision", "request", "release", "opt_out_list"}
NUMBERS = ("9434765919", "9434765870")


@pytest.fixture
def store(tmp_path):
    operations = Operations.open(DataFolder.at(tmp_path / "data").make(), Keyring.ephemeral())
    yield operations
    operations.close()


def by_hand(store, *statements):
    """As somebody writes who has the database, and neither our code nor the keys."""
    with store.begin() as db:
        for verb in ("update", "delete"):
            db.exec_driver_sql(f"DROP TRIGGER IF EXISTS decision_no_{verb}")
        for statement in statements:
            db.execute(sa.text(statement) if isinstance(statement, str) else statement)


def pair(left, right, kind="must_link", **more):
    return {"kind": kind, "record_l": left, "record_r": right, **more}


def decided(store, *pairs, batch="1"):
    store.add_decisions(pairs, "ann", batch)
    audit.record(store, "ann", "decisions imported", batch, batch=batch, decisions=len(pairs))


def built(store, release_id="r1"):
    store.add_release(
        release_id=release_id, run_id="run", purpose="risk", recipient="x", state="built", row_count=1,
        expires="2027-01-01", manifest='{"files": []}',
    )  # fmt: skip
    audit.record(store, "ann", "release built", release_id)


def listed(store, tmp_path, day=date(2026, 11, 1), numbers=NUMBERS):
    (tmp_path / "list.csv").write_text("\n".join(("nhs_number", *numbers)))
    import_list(store, tmp_path / "list.csv", day, date(2026, 11, 30), ANN)


def test_a_change_of_any_column_is_found_and_named(store, tmp_path):
    request = approvals.ask(store, ANN, "erasure", "x", REASON, roles=["custodian"])
    decided(store, pair("a", "b", same=True, inclusion_probability=1 / 3, reason="on paper"))
    built(store)
    listed(store, tmp_path)
    approvals.approve(store, Actor("bob", frozenset({"custodian"})), request)
    update(store, "r1", "checked", measured={"k": 10})
    assert first_bad_row(store) is None
    tried = 0
    for table in (request_table, decision_table, release_table, sa.table("opt_out_list", sa.column("list_date"))):
        (key,), held = sa.inspect(store.engine).get_pk_constraint(table.name)["constrained_columns"], None
        with store.begin() as db:
            held = dict(db.execute(sa.text(f"SELECT * FROM {table.name}")).mappings().one())
        for column in held.keys() - {key, "reason", "records", "said"}:
            other = f"{held[column]}"[:-1] + "0" if held[column] is not None else "0"
            other = other if other != str(held[column]) else other[:-1] + "1"
            by_hand(store, sa.text(f"UPDATE {table.name} SET {column} = :other").bindparams(other=other))
            assert first_bad_row(store)[:2] == (table.name, str(held[key])), (table.name, column)
            back = sa.text(f"UPDATE {table.name} SET {column} = :held").bindparams(held=held[column])
            by_hand(store, back)
            tried += 1
        assert first_bad_row(store) is None
    assert tried > 30


def test_who_gives_himself_a_role_or_an_approval_in_the_database_gets_nowhere(store):
    request = approvals.ask(store, ANN, "erasure", "x", REASON, roles=["custodian"])
    by_hand(store, "UPDATE request SET roles = '[]'")
    for act in (lambda: approvals.approve(store, BOB, request), lambda: approvals.refuse(store, BOB, request)):
        with pytest.raises(RowChanged, match=f"table `request`, row {request}"):
            act()
    by_hand(store, "UPDATE request SET roles = '[\"custodian\"]', state = 'approved', answered_by = 'bob'")
    with pytest.raises(RowChanged):
        approvals.standing(store, request, "erasure")
    assert [one["object"] for one in audit.entries(store, ["request denied"])] == [request] * 3


def test_an_approval_that_was_used_is_not_put_back(store):
    request = approvals.ask(store, ANN, "erasure", "x", REASON)
    approvals.approve(store, BOB, request)
    with store.begin() as db:
        held = db.execute(sa.select(request_table)).mappings().one()
    approvals.done(store, ANN, approvals.standing(store, request, "erasure"))
    assert first_bad_row(store) is None
    by_hand(store, sa.update(request_table).values(held))  # its MAC is the true one of then
    with pytest.raises(ApprovalRefused, match="an older state was put back"):
        approvals.standing(store, request, "erasure")
    assert first_bad_row(store) == ("request", request, "is done by entry 3 of the audit, and approved here")
    by_hand(store, "DELETE FROM request")
    assert first_bad_row(store) == ("request", request, "is done by entry 3 of the audit, and gone here")
    assert audit.entries(store, ["erasure denied"])


def test_whoever_takes_the_use_of_an_approval_out_of_the_audit_gets_no_second_one(store, tmp_path):
    remember(store.folder, anchor=tmp_path / "heads")
    request = approvals.ask(store, ANN, "erasure", "x", REASON)
    approvals.approve(store, BOB, request)
    with store.begin() as db:
        held = db.execute(sa.select(request_table)).mappings().one()
    approvals.done(store, ANN, approvals.standing(store, request, "erasure"))
    audit.record(store, "ann", "looked", "x")
    gone = "DELETE FROM audit WHERE event = 'erasure done'"
    by_hand(store, sa.update(request_table).values(held), "DROP TRIGGER audit_no_delete", gone)
    with pytest.raises(ApprovalRefused, match="the audit is not whole from entry 3 on"):
        approvals.standing(store, request, "erasure")
    by_hand(store, "DELETE FROM audit WHERE seq > 2")  # the store as it was then: the anchor knows better
    with pytest.raises(ApprovalRefused, match="the audit is not whole from entry 3 on"):
        approvals.standing(store, request, "erasure")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision SET kind = 'must_link' WHERE decision_id = 2",
        "UPDATE decision SET decision_id = 3 WHERE decision_id = 1",  # the older one would stand again
        "INSERT INTO decision SELECT 3, 'new', 'must_link', record_l, record_r, NULL, NULL, NULL, NULL, made_by,"
        " made_at, NULL, NULL, records, mac FROM decision WHERE decision_id = 1",
    ],
)  # fmt: skip
def test_no_decision_is_made_or_turned_in_the_database(store, statement):
    decided(store, pair("a", "b"), batch="1")
    decided(store, pair("a", "b", "cannot_link"), batch="2")
    assert [row["kind"] for row in store.decisions()] == ["cannot_link"] and first_bad_row(store) is None
    by_hand(store, statement)
    with pytest.raises(RowChanged, match=r"table `decision`, row [23]"):
        store.decisions()
    assert first_bad_row(store)[0] == "decision"


def test_a_decision_that_was_taken_out_shows_by_the_audit_and_an_erasure_does_not(store):
    decided(store, pair("a", "b"), batch="1")
    decided(store, pair("c", "d", "cannot_link"), pair("e", "f", reason="on paper"), batch="2")
    store.erase_records(["e"])
    assert first_bad_row(store) is None and len(store.decisions()) == 2
    by_hand(store, "DELETE FROM decision WHERE decision_id = 3")
    assert first_bad_row(store) == ("decision", "batch 2", "is of 2 rows by entry 2 of the audit, and of 1 rows here")


def test_a_release_is_what_was_written_of_it(store):
    built(store)
    built(store, "r2")
    by_hand(store, "UPDATE release SET state = 'published' WHERE release_id = 'r1'")
    for act in (find, lambda *of: update(*of, "checked")):
        with pytest.raises(RowChanged, match="table `release`, row r1"):
            act(store, "r1")
    assert find(store, "r2").state == "built"
    assert first_bad_row(store)[:2] == ("release", "r1")


def test_nobody_is_taken_off_the_opt_out_list(store, tmp_path):
    listed(store, tmp_path, date(2026, 10, 1), NUMBERS[:1])
    listed(store, tmp_path)
    assert opted_out(store, {"x": NUMBERS[1]}) == {"x"} and first_bad_row(store) is None
    gone = opted_out_name(store.keyring, NUMBERS[1])
    by_hand(store, f"DELETE FROM opt_out WHERE name = '{gone}'")
    with pytest.raises(RowChanged, match="table `opt_out`"):
        opted_out(store, {"x": NUMBERS[1]})
    by_hand(store, "DELETE FROM opt_out_list WHERE list_date = '2026-11-01'")  # as it was in October
    with pytest.raises(RowChanged, match="not the list that was taken in last"):
        opted_out(store, {"x": NUMBERS[1]})
    assert first_bad_row(store)[:2] == ("opt_out_list", "2026-11-01")


def test_rows_of_an_older_store_are_believed_once_as_the_audit_says(tmp_path):
    folder, keyring = DataFolder.at(tmp_path / "data").make(), Keyring.ephemeral()
    engine = older_store(folder, keyring, "0008")
    with engine.begin() as db:
        for number in range(20):
            db.exec_driver_sql("INSERT INTO payload VALUES (?, x'')", (str(number),))
            db.exec_driver_sql(
                "INSERT INTO decision (batch, kind, record_l, record_r, same, inclusion_probability, made_by, made_at, "
                "records) VALUES (?, 'label', 'a', 'b', ?, ?, 'ann', '2026', ?)",
                (str(number), number % 2, 1 / (number + 3), str(number)),
            )
        db.exec_driver_sql("INSERT INTO run VALUES ('r1', 'committed', 'ann', '2026', '2026', 1, 'm', '{}')")
    engine.dispose()
    store = Operations.open(folder, keyring)
    assert first_bad_row(store) is None
    assert store.decisions() == [] and [run["run_id"] for run in store.runs()] == ["r1"]  # what was erased stays so
    told = [(one["event"], one["object"]) for one in audit.entries(store)]
    assert told == [("rows believed as they stood", f"schema {number}") for number in ("0009", "0010")]
    first, second = (one["detail"] for one in audit.entries(store))
    assert first["decision"] == 20 and second["run"] == 1 and second["erased"] == 20
    with pytest.raises(sa.exc.IntegrityError), store.begin() as db:
        db.exec_driver_sql("DELETE FROM decision")
    store.close()


@pytest.mark.parametrize(
    ("schema", "lost"),
    [
        ("0008", [("mac", sorted(TABLES)), ("names", ("opt_out_list",))]),
        ("0009", [("mac", sorted(SINCE_0010))]),
    ],
)
@pytest.mark.parametrize("older", [True, False])
def test_a_store_that_is_set_back_is_not_believed_anew(tmp_path, schema, lost, older):
    folder, keyring = DataFolder.at(tmp_path / "data").make(), Keyring.ephemeral()
    if older:
        engine = older_store(folder, keyring, "0008")
        with engine.begin() as db:
            db.exec_driver_sql("INSERT INTO run VALUES ('r1', 'committed', 'ann', '2026', '2026', 1, 'm', '{}')")
            db.exec_driver_sql("INSERT INTO opt_out_list VALUES ('2026-11-01', '2026', 'ann', 0)")
        engine.dispose()
    store = Operations.open(folder, keyring)
    audit.record(store, "ann", "run committed", "r1", schema=store.schema)
    with store.begin() as db:
        db.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{schema}'")
        db.exec_driver_sql("DROP INDEX audit_by_event")
        for table, column in ((table, column) for column, tables in lost for table in tables):
            db.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
    store.close()
    with pytest.raises(BoroughlinkError, match="set back to an older schema by hand"):
        Operations.open(folder, keyring)


def test_a_process_that_is_older_than_the_store_by_now_reads_and_writes_nothing(store):
    by_hand(store, "UPDATE alembic_version SET version_num = '0099'")
    for act in (store.decisions, lambda: decided(store, pair("a", "b"))):
        with pytest.raises(Refusal, match="was upgraded by a newer version"):
            act()
