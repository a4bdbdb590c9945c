"""Which record a key means, and why there is none of a name."""

import re
from collections.abc import Iterator

import pytest

from pipelines.linkage.named_records import UnknownRecord, named_record, why_absent
from pipelines.warehouse import Warehouse, scratch_warehouse

RECORDS = ("tax:1/a#1", "tax:2#1", "tax:2#2", "tax:2#10", "tax:2#x#1", "club:9#1", "tax:77#1")


@pytest.fixture(scope="module")
def wh() -> Iterator[Warehouse]:
    """A view that reads one of two sources; 77 is a firm; two rows of an extract in force were set aside."""
    with scratch_warehouse() as wh:
        wh.execute("CREATE SCHEMA IF NOT EXISTS identity.meta")
        wh.table(
            "identity.people.record",
            "SELECT r AS record_id, split_part(r, ':', 1) AS source, r <> 'tax:77#1' AS is_person"
            " FROM (SELECT unnest(?) AS r)",
            [list(RECORDS)],
        )
        wh.table(
            "identity.linkage.membership",
            "SELECT 'fraud' AS view, record_id FROM identity.people.record WHERE source = 'tax' AND is_person",
        )
        wh.execute(
            "CREATE TABLE identity.meta.intake AS SELECT 1 AS delivery, 'accepted' AS state UNION SELECT 2, 'old'"
        )
        wh.execute(
            "CREATE TABLE identity.meta.fault AS FROM (VALUES (1, 'tax', 'row', 'key_repeated'), (1, 'tax', 'row',"
            " 'missing_or_unreadable'), (1, 'tax', 'row', 'key_repeated'), (1, 'tax', 'value', 'not_a_date'),"
            " (2, 'tax', 'row', 'key_repeated')) f(delivery, source, kind, reason)"
        )
        yield wh


@pytest.mark.parametrize("given", ["tax:1/a", "tax:1/a#1"])
def test_a_key_that_one_record_has_names_it(wh: Warehouse, given: str) -> None:
    assert named_record(wh, given, "fraud", "identity") == "tax:1/a#1"


@pytest.mark.parametrize("given", ["tax:5", "p_0123", "club:9", "tax:%"])
def test_what_names_no_record_of_the_view_stays_as_it_is(wh: Warehouse, given: str) -> None:
    assert named_record(wh, given, "fraud", "identity") == given


def test_a_key_that_several_have_lists_them(wh: Warehouse) -> None:
    said = "3 records have the key tax:2, one after the other: say which, tax:2#1, tax:2#2, tax:2#10."
    with pytest.raises(UnknownRecord, match=re.escape(said)):
        named_record(wh, "tax:2", "fraud", "identity")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("club:9#1", "The record is not in the view fraud: the view does not read club."),
        ("club:8#1", "the view does not read club."),
        ("tax:77#1", "it names no person, so it is linked to nobody."),
        ("tax:1/a#2", "of this key there is tax:1/a#1."),
        ("tax:2", "of this key there are tax:2#1, tax:2#2, tax:2#10."),
        ("taxes:2#1", "no source of this run that holds people is called so; these do: club, tax."),
        ("tax:O'Canary", "no row that tax was read from has this key."),
        (
            "tax:5",
            "has this key. It may be among the rows that were set aside (2: an earlier row has the same key, 1: the "
            "key or a required value is empty or can't be read): `boroughlink sources quarantine list tax` says where",
        ),
    ],
)
def test_why_a_record_is_not_there(wh: Warehouse, record: str, said: str) -> None:
    told = why_absent(wh, record, "fraud", "identity")
    assert said in told
    assert "Canary" not in told
