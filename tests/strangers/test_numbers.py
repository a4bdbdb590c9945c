"""Where a name is lost or damaged beyond likeness, a number, an email or a birth date still finds the person."""

from datetime import date

from pipelines.warehouse import scratch_warehouse
from tests.strangers.linking import copied, link, people

PEOPLE = [
    row | {"person_number": f"{100 + number % 7}-{number:06}", "email": f"reader{number * 37}@example.org"}
    for number, row in enumerate(people(600, seed=11))
]


def test_a_number_of_another_country_finds_who_is_named_otherwise() -> None:
    other = [row | {"surname": "Ngata", "birth_date": None} for row in copied(PEOPLE[:300], 3)]
    for row in other[:100]:  # one digit misread
        row["person_number"] = row["person_number"][:-1] + str((int(row["person_number"][-1]) + 5) % 10)
    with scratch_warehouse() as wh:
        _, persons = link(wh, {"a": PEOPLE, "b": [row | {"email": None} for row in other]})
    pairs = [each for each in persons.values() if len(each) > 1]
    assert len(pairs) > 270
    assert all(len({record.split(":")[1] for record in each}) == 1 for each in pairs)


def test_records_without_a_name_join_by_what_they_hold() -> None:
    nameless = [row | {"forename": None, "surname": None, "person_number": None} for row in copied(PEOPLE[:40], 5)]
    for row in nameless[:20]:
        row |= {"birth_date": date(1970, 1, 1), "address_text": None, "postcode": None}  # an email alone
    with scratch_warehouse() as wh:
        _, persons = link(wh, {"a": PEOPLE, "b": nameless + copied(PEOPLE[40:400], 6)})
    found = [each for each in persons.values() if len(each) > 1]
    assert len(found) > 380
    assert all(len({record.split(":")[1] for record in each}) == 1 for each in found)
