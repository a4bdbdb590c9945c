from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.faults import BoroughlinkError
from pipelines.keys.keyring import Keyring
from pipelines.operations import Operations, opened_store
from pipelines.settings import DataFolder, write_settings
from pipelines.source_faults import KINDS, STATES, OpenedFault, close_fault, opened_fault, report_fault, reported_faults
from pipelines.stewardship.reported import close_reported, reported_fault_of, reported_of


@pytest.fixture
def store(tmp_path):
    operations = Operations.open(DataFolder.at(tmp_path / "data").make(), Keyring.ephemeral())
    yield operations
    operations.close()


def given(store, **more):
    told = {"source": "housing", "record_id": "housing:CANARY7/1#1", "column": "birth_date", "kind": "wrong_value"}
    return report_fault(store, **(told | {"note": "says CANARY8", "by": "ann"} | more))


def test_a_fault_is_counted_in_clear_and_its_record_and_note_lie_sealed(store):
    number = given(store)
    (fault,) = reported_faults(store)
    assert (fault.fault_id, fault.source, fault.column, fault.principle) == (
        number,
        "housing",
        "birth_date",
        "accurate",
    )
    assert opened_fault(store, number) == OpenedFault("housing:CANARY7/1#1", "says CANARY8", "")
    store.engine.dispose()
    path = Path(store.engine.url.database)
    assert b"CANARY" not in b"".join(part.read_bytes() for part in path.parent.glob(path.name + "*"))


def test_erasing_a_record_leaves_the_count_alone(store):
    number = given(store)
    store.erase_records(["housing:CANARY7/1#1"])
    assert opened_fault(store, number) is None
    assert len(reported_faults(store, "housing")) == 1


def test_a_mended_fault_no_longer_stands(store):
    number = given(store)
    close_fault(store, number, "passed_on", "told CANARY9", "bob")
    assert len(reported_faults(store)) == 1
    close_fault(store, number, "mended", "mended CANARY9", "bob")
    assert reported_faults(store) == []
    assert opened_fault(store, number) == OpenedFault("housing:CANARY7/1#1", "says CANARY8", "mended CANARY9")
    with store.begin() as db:
        assert "CANARY" not in repr(db.execute(sa.text("SELECT * FROM audit")).fetchall())
    (fault,) = reported_faults(store, states=STATES)
    assert (fault.state, fault.state_by) == ("mended", "bob")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"kind": "CANARY"}, "kind of fault"),
        ({"record_id": "benefits:1"}, "no record of housing"),
        ({"column": "CANARY of"}, "staged name"),
        ({"note": "x" * 5000}, "at most"),
    ],
)
def test_what_is_no_fault_is_refused_without_quoting_it(store, wrong, says):
    with pytest.raises(BoroughlinkError, match=says) as refused:
        given(store, **wrong)
    assert "CANARY" not in str(refused.value)
    assert reported_faults(store) == []


def test_what_was_erased_stays_so_when_the_fault_is_closed(store):
    number = given(store)
    store.erase_records(["housing:CANARY7/1#1"])
    close_fault(store, number, "no_fault", "it has gone", "bob")
    assert opened_fault(store, number) is None and reported_faults(store) == []


def test_an_unknown_outcome_no_word_of_what_was_done_or_no_standing_fault_is_refused(store):
    number = given(store)
    with pytest.raises(BoroughlinkError, match="one of"):
        close_fault(store, number, "open", "looked", "bob")
    with pytest.raises(BoroughlinkError, match="what was done"):
        close_fault(store, number, "mended", " ", "bob")
    close_fault(store, number, "mended", "corrected", "bob")
    for gone in (number, 99):
        with pytest.raises(BoroughlinkError, match=f"number {gone} stands"):
            close_fault(store, gone, "mended", "corrected", "bob")


def test_every_kind_breaks_a_principle():
    principles = {principle for _, principle in KINDS.values()}
    assert principles == {"accurate", "valid", "reliable", "timely", "relevant", "complete"}


def test_the_command_lists_shows_and_closes_a_fault_and_names_a_record_only_when_asked(tmp_path):
    folder = DataFolder.at(tmp_path / "data").make()
    write_settings(folder, holds="synthetic")
    with opened_store(folder) as store:
        number = given(store)
    line = repr(reported_of(folder, None, every=False).tables)
    assert "a value is wrong" in line and "CANARY" not in line
    assert reported_of(folder, "benefits", every=False).said == ("No reported fault stands.",)
    assert "Note: says CANARY8" in reported_fault_of(folder, number).said
    assert close_reported(folder, number, "mended", "corrected") == f"Fault {number}: mended in the source."
    assert not reported_of(folder, None, every=False).tables
    assert "mended" in repr(reported_of(folder, None, every=True).tables)
    with pytest.raises(BoroughlinkError, match="no fault of the number 99"):
        reported_fault_of(folder, 99)


def test_who_reported_a_fault_does_not_close_it_once_the_settings_say_who_answers_for_sources(tmp_path, monkeypatch):
    folder = DataFolder.at(tmp_path / "data").make()
    answering = {"information_asset_owner": ["bob"], "data_protection_officer": ["eve"]}
    write_settings(folder, holds="synthetic", roles=answering)
    with opened_store(folder) as store:
        numbers = [given(store, by="ann") for _ in range(2)]
    monkeypatch.setenv("BOROUGHLINK_ACTOR", "ann")
    for act in (lambda: close_reported(folder, numbers[0], "no_fault", "mine"), lambda: reported_fault_of(folder, 1)):
        with pytest.raises(BoroughlinkError, match="`information_asset_owner` or `data_protection_officer`"):
            act()
    for login, number in zip(("bob", "eve"), numbers, strict=True):
        monkeypatch.setenv("BOROUGHLINK_ACTOR", login)
        assert close_reported(folder, number, "mended", "corrected")
    with opened_store(folder) as store, store.begin() as db:
        events = db.execute(sa.text("SELECT event, actor FROM audit ORDER BY seq")).fetchall()
    assert [tuple(row) for row in events].count(("source fault refused", "ann")) == 2
