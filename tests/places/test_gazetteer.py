"""The staged gazetteer as places: properties, wordings, cross-references; and the UPRN of every address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from linkage_models.address import evaluate_addresses
from pipelines.places.address_uprn import ADDRESS_CANDIDATE, ADDRESS_UPRN, build_address_uprn
from pipelines.places.gazetteer import ADDRESS_VARIANT, CROSS_REFERENCE, PROPERTY, TABLES, build_gazetteer
from pipelines.sources.facts import ADDRESS
from pipelines.warehouse import Warehouse, scratch_warehouse

STAGED = {
    "blpu": """uprn BIGINT, logical_status INTEGER, blpu_state INTEGER, parent_uprn BIGINT, x_coordinate DOUBLE,
        y_coordinate DOUBLE,
        end_date DATE, postcode_locator VARCHAR""",
    "lpi": """uprn BIGINT, language VARCHAR, logical_status INTEGER, sao_start_number INTEGER, sao_start_suffix VARCHAR,
        sao_end_number INTEGER, sao_end_suffix VARCHAR, sao_text VARCHAR, pao_start_number INTEGER,
            pao_start_suffix VARCHAR,
        pao_end_number INTEGER, pao_end_suffix VARCHAR, pao_text VARCHAR, usrn INTEGER""",
    "dpa": """uprn BIGINT, sub_building_name VARCHAR, building_name VARCHAR, building_number INTEGER,
        dependent_thoroughfare VARCHAR, thoroughfare VARCHAR, dependent_locality VARCHAR, post_town VARCHAR,
            postcode VARCHAR""",
    "street_descriptor": """usrn INTEGER, language VARCHAR, street_description VARCHAR, locality VARCHAR,
        town_name VARCHAR""",
    "xref": "uprn BIGINT, xref_key VARCHAR, cross_reference VARCHAR, source VARCHAR, end_date DATE",
    "classification": "uprn BIGINT, classification_code VARCHAR, class_scheme VARCHAR, end_date DATE",
    "successor": "uprn BIGINT, successor BIGINT",
    "onsud": "uprn BIGINT, wd25cd VARCHAR, lsoa21cd VARCHAR",
    "lsoa": "lsoa21cd VARCHAR, wd25nm VARCHAR, imd25_decile INTEGER",
}


def add(wh: Warehouse, table: str, *rows: tuple[object, ...]) -> None:
    marks = ", ".join("?" for _ in rows[0])
    for row in rows:
        wh.execute(f"INSERT INTO identity.staged.llpg__{table} VALUES ({marks}, NULL)", list(row))


def stage(wh: Warehouse) -> None:
    """14 High Street is a shell with flats A and B; 16 a house; 18 was replaced by 16; a care home; a shop."""
    for table, columns in STAGED.items():
        wh.execute(f"CREATE TABLE identity.staged.llpg__{table} ({columns}, valid_to DATE)")
    add(wh, "street_descriptor", (1, "ENG", "HIGH STREET", None, "SOUTHEND-ON-SEA"))
    blpu = [(14, 1, None), (141, 1, 14), (142, 1, 14), (16, 1, None), (18, 8, None), (20, 1, None), (22, 1, None)]
    add(wh, "blpu", *((uprn, status, 2, parent, 588000.0, 185000.0, None, "SS1 1CK") for uprn, status, parent in blpu))
    scheme = "AddressBase Premium Classification Scheme"
    codes = {14: "PP", 141: "RD06", 142: "RD06", 16: "RD04", 18: "RD04", 20: "RI01", 22: "CR08"}
    add(wh, "classification", *((uprn, code, scheme, None) for uprn, code in codes.items()))
    for uprn in (14, 16, 18, 20, 22):
        add(wh, "lpi", (uprn, "ENG", 8 if uprn == 18 else 1, None, None, None, None, None, uprn, "", None, "", None, 1))
    for uprn, letter in ((141, "FLAT A"), (142, "FLAT B")):
        add(wh, "lpi", (uprn, "ENG", 1, None, None, None, None, letter, 14, "", None, "", None, 1))
    add(wh, "lpi", (142, "ENG", 3, None, None, None, None, "FIRST FLOOR FLAT", 14, "", None, "", None, 1))
    add(wh, "dpa", (16, None, "THE LODGE", 16, None, "HIGH STREET", None, "SOUTHEND-ON-SEA", "SS1 1CK"))
    add(wh, "xref", (142, "1590X1", "777", "1590CT", None), (16, "1590X2", "888", "1590ER", None))
    add(wh, "successor", (18, 16))
    add(wh, "onsud", (16, "E05001", "E0100001"))
    add(wh, "lsoa", ("E0100001", "Milton", 3))


def address(wh: Warehouse, *rows: tuple[object, ...]) -> None:
    """rows: key, text, postcode, UPRN given, reference's source, reference."""
    columns = ", ".join(f"{column.name} {column.type}" for column in ADDRESS.all_columns)
    wh.execute(f"CREATE OR REPLACE TABLE identity.facts.address ({columns})")
    for row in rows:
        wh.execute(
            "INSERT INTO identity.facts.address BY NAME SELECT ? AS address_key, 'x:' || address_key AS address_id, "
            "? AS address_text, ? AS postcode, ? AS uprn_given, ? AS xref_source, ? AS xref_key, 'x' AS source",
            list(row),
        )


@pytest.fixture
def wh() -> Iterator[Warehouse]:
    with scratch_warehouse() as opened:
        stage(opened)
        yield opened


def test_property(wh: Warehouse) -> None:
    build_gazetteer(wh)
    rows = {
        row[0]: row[1:]
        for row in wh.rows(
            f"SELECT uprn, is_current, is_dwelling, is_communal, is_shell, successor_uprn, ward FROM {PROPERTY}"
        )
    }
    assert rows[14] == (True, False, False, True, None, None)
    assert rows[142] == (True, True, False, False, None, None)
    assert rows[16] == (True, True, False, False, None, "Milton")
    assert rows[18] == (False, True, False, False, 16, None)
    assert rows[20] == (True, False, True, False, None, None)
    assert rows[22][3] is False, "a shop without homes above it is no shell"
    assert wh.scalar(f"SELECT address FROM {PROPERTY} WHERE uprn = 142") == "FLAT B, 14 HIGH STREET, SOUTHEND-ON-SEA"


def test_a_house_split_into_flats_is_followed_by_its_building(wh: Warehouse) -> None:
    """12 was a house; its reference names flat A of what is now 14."""
    add(wh, "blpu", (12, 8, 2, None, 588000.0, 185000.0, None, "SS1 1CK"))
    add(wh, "lpi", (12, "ENG", 8, None, None, None, None, None, 12, "", None, "", None, 1))
    add(wh, "successor", (12, 141))
    build_gazetteer(wh)
    assert wh.scalar(f"SELECT successor_uprn FROM {PROPERTY} WHERE uprn = 12") == 14
    address(wh, ("1", "12 HIGH STREET", "SS1 1CK", None, None, None))
    build_address_uprn(wh)
    assert wh.rows(f"SELECT uprn, method, building_uprn FROM {ADDRESS_UPRN}") == [(None, "building", 14)]
    assert [row[0] for row in wh.rows(f"SELECT uprn FROM {ADDRESS_CANDIDATE} ORDER BY place")] == [141, 142]


def test_wordings_and_references(wh: Warehouse) -> None:
    build_gazetteer(wh)
    found = set(wh.rows(f"SELECT variant, address_text FROM {ADDRESS_VARIANT} WHERE uprn IN (16, 18, 142)"))
    assert found == {
        ("lpi", "FLAT B, 14 HIGH STREET, SOUTHEND-ON-SEA"),
        ("alternative", "FIRST FLOOR FLAT, 14 HIGH STREET, SOUTHEND-ON-SEA"),
        ("lpi", "16 HIGH STREET, SOUTHEND-ON-SEA"),
        ("dpa", "THE LODGE, 16 HIGH STREET, SOUTHEND-ON-SEA"),
        ("historic", "18 HIGH STREET, SOUTHEND-ON-SEA"),
    }
    assert wh.scalar(f"SELECT count(*) FROM {ADDRESS_VARIANT} WHERE key IS NULL") == 0
    assert ("1590CT", "777", 142) in wh.rows(f"SELECT xref_source, xref_key, uprn FROM {CROSS_REFERENCE}")


def test_address_uprn(wh: Warehouse) -> None:
    build_gazetteer(wh)
    address(
        wh,
        ("1", "16 HIGH STREET", "SS1 1CK", 18, None, None),
        ("2", "14B HIGH STREET", "SS1 1CK", None, "1590CT", "777"),
        ("3", "14B HIGH ST", "SS1 1CK", None, None, None),
        ("4", "14 HIGH ST", "SS1 1CK", None, None, None),
        ("5", None, "SS1 1CK", None, None, None),
        ("6", "16 HIGH STREET", "SS1 1CK", None, "1590ER", "888"),
    )
    figures = build_address_uprn(wh)
    rows = wh.rows(f"SELECT uprn, method, candidate_uprn FROM {ADDRESS_UPRN} ORDER BY address_id")
    assert rows == [
        (16, "given", 16),
        (142, "cross_reference", 142),
        (142, "normalised_key", 142),
        (None, "building", 14),
        (None, "no_address", None),
        (16, "cross_reference", 16),
    ]
    assert figures["share matched"] == 0.8


def test_without_gazetteer() -> None:
    with scratch_warehouse() as wh:
        assert build_gazetteer(wh) == {"properties": 0, "wordings": 0, "cross-references": 0}
        address(wh, ("1", "16 HIGH STREET", "SS1 1CK", 16, "1590CT", "1"), ("2", None, "SS1 1CK", None, None, None))
        figures = build_address_uprn(wh)
        assert figures["given"] == 1 and figures["no_address"] == 1 and figures["share matched"] == 1


def test_empty_and_full_gazetteer_have_the_same_columns(wh: Warehouse) -> None:
    build_gazetteer(wh)
    full = {name: wh.rows(f"SELECT column_name, column_type FROM (DESCRIBE {name})") for name in TABLES}
    with scratch_warehouse() as bare:
        build_gazetteer(bare)
        for name, columns in full.items():
            assert bare.rows(f"SELECT column_name, column_type FROM (DESCRIBE {name})") == columns


def test_evaluation_counts_right_and_wrong(wh: Warehouse, tmp_path: Path) -> None:
    build_gazetteer(wh)
    address(
        wh,
        ("1", "16 HIGH STREET", "SS1 1CK", None, None, None),
        ("2", "14B HIGH ST", "SS1 1CK", None, None, None),
        ("3", "14 HIGH ST", "SS1 1CK", None, None, None),
        ("4", None, "SS1 1CK", None, None, None),
    )
    build_address_uprn(wh)
    truth = tmp_path / "addresses.parquet"
    wh.execute(f"""COPY (SELECT 'x' AS source, unnest(['1', '2', '3', '4']) AS address_key,
        unnest([16, 141, 141, 16]) AS uprn)
        TO '{truth}' (FORMAT parquet)""")
    rates = evaluate_addresses(wh.con, str(truth))
    overall = next(row for row in rates if row["source"] is None and row["method"] is None)
    assert (overall["matchable"], overall["matched"], overall["right"]) == (3, 2, 1)
    assert overall["precision"] == 0.5
    assert overall["match_rate"] == pytest.approx(2 / 3)
