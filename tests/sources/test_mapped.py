"""A table with one person a row needs no SQL: `maps` says what each column is."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.sources.contract_files import ContractError
from pipelines.sources.facts_build import build_fact
from pipelines.sources.intake import take_in
from pipelines.sources.joined_keys import KEY_PART, joined
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.sources.library import DAY, deliver, make_contract

CONTRACT = """\
name: library
title: Registre des lecteurs
system: Made up
level: person
owner: Libraries
steward: library@example.org
description: Readers of a library abroad.
retention_days: 365
refresh_days: 31
control: none
delimiter: ";"
date_format: ["%d.%m.%Y", "%Y/%m/%d"]
purposes:
  data_quality: {basis: public task, expires: 2030-01-01}
tables:
  - name: readers
    file: readers.csv
    grain: one reader
    why: who reads
    key: [town, card]
    maps:
      forename: given
      middle: [second, third]
      surname: family
      birth_date: born
      birth_year: year
      age: years
      sex: kind
      address: [house, street, town]
      postcode: code
      uprn: place
    columns:
      - {name: "Numéro, carte", as: card, type: integer, personal: identifier}
      - {name: Prénom, as: given, personal: name}
      - {name: second, personal: name}
      - {name: third, personal: name}
      - {name: NOM, as: family, personal: name}
      - {name: né(e) le, as: born, type: date, personal: birth_date}
      - {name: année, as: year, type: integer, personal: birth_date}
      - {name: âge, as: years, type: integer, personal: birth_date}
      - {name: sexe, as: kind, personal: none, codes: {"1": male, "2": female, "$'9": not known}}
      - {name: house, personal: address}
      - {name: street, personal: address}
      - {name: town, personal: address}
      - {name: CP, as: code, personal: address}
      - {name: place, personal: address}
"""
HEADER = '"Numéro, carte";Prénom;second;third;NOM;né(e) le;année;âge;sexe;house;street;town;CP;place\n'
ROWS = (
    "1;Zoé;Anne;Marie;Dupont;31.12.1980;;;2;7;rue d'Église;Liège;4000;\n"
    "2;;;;O'Brien;1999/02/01;;;1;;Château $5;Liège;;100.0\n"
    "1;Ali;;;Öz;;1950;;3;12b;Markt;Gent;9000;\n"
    "2;Eva;;;Maes;;;26;;;;Gent;;\n"
    "3;Jan;;;Maes;30.02.1980;;999;;;;Gent;;\n"
)


def test_the_facts_follow_from_what_each_column_is(wh: Warehouse, landing: Path, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, CONTRACT)
    assert contract.facts == ("address", "person_record", "residence")
    deliver(landing, {"readers.csv": HEADER + ROWS}, manifest=False)
    assert [intake.state for intake in take_in(wh, contract, landing, None)] == ["accepted"]
    for fact in contract.facts:
        assert build_fact(wh, fact, {"library": contract}) == 5
    assert wh.rows(
        "SELECT record_id, source_key, forename, middle, surname, birth_date, sex FROM identity.facts.person_record"
        " ORDER BY 1"
    ) == [
        ("library:Gent/1#1", "Gent/1", "Ali", None, "Öz", date(1950, 1, 1), None),
        ("library:Gent/2#1", "Gent/2", "Eva", None, "Maes", date(DAY.year - 26, 1, 1), None),
        ("library:Gent/3#1", "Gent/3", "Jan", None, "Maes", None, None),
        ("library:Liège/1#1", "Liège/1", "Zoé", "Anne Marie", "Dupont", date(1980, 12, 31), "F"),
        ("library:Liège/2#1", "Liège/2", None, None, "O'Brien", date(1999, 2, 1), "M"),
    ]
    assert wh.rows("SELECT address_id, address_text, postcode, uprn_given FROM identity.facts.address ORDER BY 1") == [
        ("library:Gent/1#1", "12b Markt, Gent", "9000", None),
        ("library:Gent/2#1", "Gent", None, None),
        ("library:Gent/3#1", "Gent", None, None),
        ("library:Liège/1#1", "7 rue d'Église, Liège", "4000", None),
        ("library:Liège/2#1", "Château $5, Liège", None, 100),
    ]


def test_no_two_keys_are_one_text_and_a_plain_key_stands_as_it_is() -> None:
    keys = [("A/B", "C"), ("A", "B/C"), ("A%2FB", "C"), ("A%252FB", "C"), ("A%/B", "C"), ("A%%2FB", "C"), ("5%", "7")]
    with scratch_warehouse() as wh:
        wh.execute(KEY_PART)
        wh.execute(
            "CREATE TABLE k AS SELECT unnest(?::VARCHAR[]) AS a, unnest(?::VARCHAR[]) AS b", [*zip(*keys, strict=True)]
        )
        said = [row[0] for row in wh.rows(f"SELECT {joined(['a', 'b'])} FROM k")]
        assert said == [row[0] for row in wh.rows("SELECT key_part(a) || '/' || key_part(b) FROM k")]
        assert len(set(said)) == len(keys) and said[0] == "A%2FB/C" and said[-1] == "5%/7"
        assert [row[0] for row in wh.rows(f"SELECT {joined(['a'])} FROM k")] == [key for key, _ in keys]


def test_rows_whose_keys_would_run_together_are_records_of_their_own(
    wh: Warehouse, landing: Path, tmp_path: Path
) -> None:
    given = CONTRACT.replace("as: card, type: integer", "as: card, type: text")
    rows = "B/1;Ali;;;Oz;;;;;;;A;;\n1;Eva;;;Maes;;;;;;;A/B;;\n"
    contract = make_contract(tmp_path, given)
    deliver(landing, {"readers.csv": HEADER + rows}, manifest=False)
    assert [intake.state for intake in take_in(wh, contract, landing, None)] == ["accepted"]
    assert build_fact(wh, "person_record", {"library": contract}) == 2
    found = wh.rows("SELECT record_id, source_key FROM identity.facts.person_record ORDER BY 1")
    assert found == [("library:A%2FB/1#1", "A%2FB/1"), ("library:A/B%2F1#1", "A/B%2F1")]


def test_own_sql_goes_before(wh: Warehouse, landing: Path, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, CONTRACT)
    (contract.folder / "residence.sql").write_text(
        "SELECT record_id, record_id AS address_id, DATE '2020-01-01' AS from_date, NULL AS to_date,"
        " 'contact' AS basis, extract_date, valid_from, valid_to, loaded_run FROM ${readers} WHERE town = 'Gent'"
    )
    deliver(landing, {"readers.csv": HEADER + ROWS}, manifest=False)
    take_in(wh, contract, landing, None)
    assert build_fact(wh, "residence", {"library": contract}) == 3


MISTAKES = [
    ("      forename: given\n", "      forename: gvien\n", "readers > maps > forename: names `gvien`"),
    ("      forename: given\n", "      forname: given\n", "maps > forname: is not a word"),
    ("as: given, personal: name", "as: given, personal: none", "`given`, which must then say `personal: name`"),
    ("as: years, type: integer", "as: years", "`years`, which must then say `type: integer`"),
    ("birth_date: born", "birth_date: [year, years]", "three: year, month, day"),
    ("    key: [town, card]\n", "", "maps: needs a `key`"),
    (
        "forename: given\n      middle: [second, third]\n      surname: family",
        "title: given",
        "maps no name",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "says"), MISTAKES, ids=[mistake[2] for mistake in MISTAKES])
def test_a_mistake_in_maps_is_told_with_its_line(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    assert right in CONTRACT
    with pytest.raises(ContractError, match=r"library/contract\.yaml, line \d+") as error:
        make_contract(tmp_path, CONTRACT.replace(right, wrong))
    assert says in str(error.value)
