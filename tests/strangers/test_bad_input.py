"""Hostile input to the linker: a clear outcome, never a crash, never a giant cluster."""

from datetime import date

import pytest

from pipelines.people.repeats import may_repeat
from pipelines.warehouse import scratch_warehouse
from tests.strangers.linking import Row, copied, link, people

A = people(300, seed=1201)
B = copied(A[:200], seed=1202)


def same(rows: list[Row], **values: object) -> list[Row]:
    return [row | values for row in rows]


def keys(record: str) -> str:
    """source:key#occupant -> key"""
    return record.partition(":")[2].rpartition("#")[0]


ALIKE = {
    "one birth date": {"birth_date": date(1980, 5, 5)},
    "one home": {"address_text": "1 High Street", "postcode": "1000"},
    "one surname at one home": {"surname": "Lee", "address_text": "1 High Street", "postcode": "1000"},
    "one name at one home": {"forename": "Ann", "surname": "Lee", "address_text": "1 High Street", "postcode": "1000"},
    "no surname": {"surname": None},
    "no birth date, no home": {"birth_date": None, "address_text": None, "postcode": None},
}


@pytest.mark.parametrize("values", ALIKE.values(), ids=ALIKE)
def test_what_all_records_share_joins_nobody(values: dict[str, object]) -> None:
    with scratch_warehouse() as wh:
        _, persons = link(wh, {"a": same(A, **values), "b": same(B, **values)})
    assert sum(map(len, persons.values())) == 500
    assert max(map(len, persons.values())) <= 4
    joined = [{keys(record) for record in records} for records in persons.values() if len(records) > 1]
    wrong = sum(len(each) > 1 for each in joined)
    assert wrong <= max(1, 0.1 * len(joined)), "most of what is joined is one person; one pair of namesakes may be two"


def test_one_birth_date_for_everyone_is_trained_around() -> None:
    rows = people(1500, seed=1203)
    default = date(1980, 5, 5)
    with scratch_warehouse() as wh:
        linked, persons = link(
            wh, {"a": same(rows, birth_date=default), "b": same(copied(rows[:1000], 3), birth_date=default)}
        )
    assert "trained here" in linked.chosen
    assert max(map(len, persons.values())) <= 4
    right = sum(len(records) == 2 and keys(records[0]) == keys(records[1]) for records in persons.values())
    assert right > 950


def test_nothing_one_record_and_no_column_in_common() -> None:
    nameless = [{"source_key": "1", "birth_date": date(1980, 1, 1), "postcode": "1000"}]
    for tables, found in (
        ({}, 0),
        ({"a": [], "b": []}, 0),
        ({"a": A[:1]}, 1),
        ({"a": nameless}, 0),
        ({"a": [{"source_key": "1", "surname": "Lee"}], "b": [{"source_key": "1", "forename": "Ann"}]}, 2),
    ):
        with scratch_warehouse() as wh:
            assert len(link(wh, tables)[1]) == found


def test_twenty_thousand_identical_records_make_no_pairs_beyond_the_budget() -> None:
    crowd = [A[0] | {"source_key": f"c{number}"} for number in range(20_000)]
    with scratch_warehouse() as wh:
        linked, persons = link(wh, {"a": crowd})
        assert linked.pairs == 0 and len(persons) == 20_000
        notes = [rule.note for rule in linked.scored.rules if rule.note]
        assert any("blocks of up to 20,000 records left out" in note for note in notes), "and it is said"


def test_other_scripts_emoji_and_quotes_in_names_and_keys() -> None:
    odd = [
        row
        | {
            "source_key": f"o'{number};\"--$x{{y}}",
            "forename": f"{row['forename']} 😀",
            "surname": f"{'محمد' if number % 2 else 'כהן'} {row['surname']}",
        }
        for number, row in enumerate(A)
    ]
    with scratch_warehouse() as wh:
        _, persons = link(wh, {"a": odd, "b": odd[:200]})
    pairs = [records for records in persons.values() if len(records) > 1]
    assert len(pairs) >= 195 and all(len(records) == 2 and keys(records[0]) == keys(records[1]) for records in pairs)


def test_a_chain_of_must_links_gives_way_to_the_cannot_link_it_contradicts() -> None:
    first, second, third, apart = "a:000001#1", "a:000002#1", "a:000003#1", "a:000004#1"
    decisions = [
        ("must_link", first, second),
        ("must_link", second, third),
        ("cannot_link", first, third),
        ("must_link", third, apart),
    ]
    with scratch_warehouse() as wh:
        _, persons = link(wh, {"a": A[:50]}, decisions)
        assert not any({first, third} <= set(records) for records in persons.values())
        _, again = link(wh, {"a": A[:50]}, decisions[:2])
        assert any({first, second, third} <= set(records) for records in again.values())


def test_tables_without_any_address_are_linked() -> None:
    placeless = [same(rows, address_text=None, postcode=None) for rows in (A, B)]
    with scratch_warehouse() as wh:
        _, persons = link(wh, dict(zip("ab", placeless, strict=True)), facts=("person_record",))
        assert "a" not in may_repeat(wh, ()), "whole birth dates show that nobody comes twice"
    right = sum(len({keys(record) for record in records}) == 1 for records in persons.values() if len(records) == 2)
    assert right > 180 and max(map(len, persons.values())) == 2


def test_a_list_that_shows_not_whether_anybody_comes_twice_is_named_unless_its_contract_says() -> None:
    with scratch_warehouse() as wh:
        link(wh, {"a": A, "b": same(B, birth_date=None)})
        assert may_repeat(wh, ()) == {"b": True}
        assert may_repeat(wh, {"b": "many"}) == {}
