from pathlib import Path

import pytest

from pipelines.faults import BoroughlinkError
from pipelines.governance.keys import Keyring
from pipelines.operations import Operations
from pipelines.settings import DataFolder
from pipelines.source_faults import KINDS, STATES, opened_fault, report_fault, reported_faults, set_state


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
    assert opened_fault(store, number) == ("housing:CANARY7/1#1", "says CANARY8")
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
    set_state(store, number, "mended", "bob")
    assert reported_faults(store) == []
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


def test_an_unknown_state_or_fault_is_refused(store):
    with pytest.raises(BoroughlinkError, match="one of"):
        set_state(store, given(store), "gone", "bob")
    with pytest.raises(BoroughlinkError, match="number"):
        set_state(store, 99, "mended", "bob")


def test_every_kind_breaks_a_principle():
    principles = {principle for _, principle in KINDS.values()}
    assert principles == {"accurate", "valid", "reliable", "timely", "relevant", "complete"}
