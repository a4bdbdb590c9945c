"""people.record from facts: homes, occupants, one person a case, fingerprints."""

from collections.abc import Iterator
from datetime import date

import pytest

from linkage_models.standardise import people as standardised
from pipelines.people.records import RECORD, RECORD_ADDRESS, build_record, build_record_address
from pipelines.warehouse import Warehouse, scratch_warehouse

PROVENANCE = (
    "'{source}' AS source, DATE '2026-10-31' AS extract_date, DATE '2026-10-31' AS valid_from, {gone}"
    " AS valid_to, 'r' AS loaded_run"
)
PEOPLE = [
    # source, key, forename, surname, name_text, birth date, death date, current
    ("council_tax", "A1/1", None, None, "MR JOHN SMITH", None, None, True),
    ("council_tax", "A1/0", None, None, "MR JOHN SMITHE", None, None, False),
    ("council_tax", "A2/1", None, None, "EXORS OF ADA WELLS", None, None, True),
    ("council_tax", "A3/1", None, None, "SEAVIEW LETTINGS LTD", None, None, True),
    ("benefits", "C1/1", "John", "Smith", None, "1970-05-04", None, True),
    ("benefits", "C1/2", "Jane", "Smith", None, "1900-01-01", None, True),
    ("deaths", "R1", "Ada", "Wells", None, "1930-02-03", "2026-01-05", True),
]
STAYS = [
    ("council_tax", "A1/1", "H1", "2010-01-01", None),
    ("council_tax", "A2/1", "H2", "2020-01-01", None),
    ("benefits", "C1/1", "H3", "2001-01-01", "2015-06-30"),
    ("benefits", "C1/1", "H1", "2015-07-01", None),
    ("benefits", "C1/2", "H9", "2015-07-01", None),
]


@pytest.fixture
def wh() -> Iterator[Warehouse]:
    with scratch_warehouse() as opened:
        people = " UNION ALL BY NAME ".join(_person(*row) for row in PEOPLE)
        opened.table("identity.facts.person_record", people)
        said = PROVENANCE.format(source="x", gone="NULL::DATE")
        opened.table("identity.facts.address", " UNION ALL ".join(
            f"SELECT '{key}' AS address_id, '{key}' AS address_key, '{key} High St.' AS address_text, 'ss07ab' AS"
                f" postcode,"
            f" NULL::BIGINT AS uprn_given, {said}" for key in ("H1", "H2", "H3", "H9")))  # fmt: skip
        opened.table("identity.facts.residence", " UNION ALL ".join(
            f"SELECT '{source}:{key}#1' AS record_id, '{home}' AS address_id, {_day(start)} AS from_date,"
                f" {_day(end)} AS to_date, 'claim' AS basis, {said}"
            for source, key, home, start, end in STAYS))  # fmt: skip
        opened.table(
            "identity.places.address_uprn",
            "SELECT address_id, uprn, '|' || address_id AS door_key FROM (VALUES ('H1', 999000000001),"
            " ('H2', 999000000002), ('H3', 999000000003), ('H9', NULL)) t (address_id, uprn)",
        )
        yield opened


def _day(text: str | None) -> str:
    return f"'{text}'::DATE" if text else "NULL::DATE"


def _text(text: str | None) -> str:
    return f"'{text}'" if text else "NULL::VARCHAR"


def _person(
    source: str,
    key: str,
    forename: str | None,
    surname: str | None,
    whole: str | None,
    born: str | None,
    died: str | None,
    current: bool,
) -> str:
    said = PROVENANCE.format(source=source, gone="NULL::DATE" if current else "DATE '2026-09-30'")
    empty = ", ".join(
        f"NULL::VARCHAR AS {name}"
        for name in (
            "role",
            "title",
            "middle",
            "former_surname",
            "sex",
            "nino",
            "nhs_number",
            "person_number",
            "phone",
            "email",
            "birth_place",
            "occupation",
            "sensitivity",
        )
    )
    return (
        f"SELECT '{source}:{key}#1' AS record_id, '{key}' AS source_key, 1 AS occupant, {_text(forename)} AS"
        f" forename, {_text(surname)} AS surname,"
        f" {_text(whole)} AS name_text, {_day(born)} AS birth_date, {_day(died)} AS death_date, {empty}, {said}"
    )


def built(wh: Warehouse, key: bytes = b"k" * 32) -> dict[str, dict[str, object]]:
    build_record_address(wh)
    build_record(wh, key, {"benefits": "once_a_case", "council_tax": "many"})
    return {str(row["record_id"]): row for row in wh.frame(f"SELECT * FROM {RECORD}").to_dicts()}


def test_one_row_per_current_record(wh: Warehouse) -> None:
    rows = built(wh)
    assert set(rows) == {f"{source}:{key}#1" for source, key, *_, current in PEOPLE if current}
    assert not rows["council_tax:A3/1#1"]["is_person"]
    assert rows["benefits:C1/2#1"]["birth_date"] is None


@pytest.mark.parametrize("column", ["person_number", "generation"])
def test_records_that_an_older_version_wrote_with_fewer_columns_are_made_anew(
    wh: Warehouse, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    afresh = built(wh)
    wh.execute(f"ALTER TABLE {RECORD} DROP COLUMN {column}")
    monkeypatch.setattr(standardised, "code_mark", lambda basis: "a newer version")
    assert built(wh) == afresh


def test_the_latest_home_and_all_homes(wh: Warehouse) -> None:
    row = built(wh)["benefits:C1/1#1"]
    assert row["uprn"] == 999000000001 and row["postcode"] == "SS0 7AB" and row["from_date"] == date(2015, 7, 1)
    assert sorted(row["past_homes"]) == ["999000000001", "999000000003"]  # type: ignore[call-overload]
    current = dict(wh.rows(f"SELECT address_id, is_current FROM {RECORD_ADDRESS} WHERE record_id = 'benefits:C1/1#1'"))
    assert current == {"H1": True, "H3": False}


def test_an_address_without_uprn_stands_by_its_door(wh: Warehouse) -> None:
    assert built(wh)["benefits:C1/2#1"]["home_key"] == "~|H9"


def test_executors_act_for_the_dead_and_begin_nothing(wh: Warehouse) -> None:
    rows = built(wh)
    assert rows["council_tax:A2/1#1"]["last_begun"] is None
    assert rows["council_tax:A1/1#1"]["last_begun"] == date(2010, 1, 1)
    assert rows["deaths:R1#1"]["last_begun"] is None


def test_two_members_of_one_claim_are_two_people(wh: Warehouse) -> None:
    rows = built(wh)
    assert rows["benefits:C1/1#1"]["one_person_key"] == rows["benefits:C1/2#1"]["one_person_key"] == "benefits:C1"
    assert rows["council_tax:A1/1#1"]["one_person_key"] is None


def test_a_contract_says_how_often_a_person_may_stand_in_its_source(wh: Warehouse) -> None:
    wh.execute("UPDATE identity.facts.person_record SET role = if(record_id = 'benefits:C1/1#1', 'claimant', 'other')")
    build_record_address(wh)
    build_record(wh, b"k" * 32, {"benefits": {"other": "many", "claimant": "once"}, "council_tax": "once"})
    keys = dict(wh.rows(f"SELECT record_id, one_person_key FROM {RECORD}"))
    assert keys["council_tax:A1/1#1"] == keys["council_tax:A2/1#1"] == "council_tax"
    assert (keys["benefits:C1/1#1"], keys["benefits:C1/2#1"]) == ("benefits", None)


def test_the_fingerprint_is_hmac_sha256_and_ignores_the_address(wh: Warehouse) -> None:
    import hashlib
    import hmac

    before = built(wh)
    expected = hmac.digest(b"k" * 32, b"JOHN||SMITH|1970-05-04|||", hashlib.sha256).hex()[:32]
    assert before["benefits:C1/1#1"]["fingerprint"] == expected
    wh.execute("UPDATE identity.places.address_uprn SET uprn = 999000000077 WHERE address_id = 'H1'")
    assert built(wh)["benefits:C1/1#1"]["fingerprint"] == expected
    wh.execute("UPDATE identity.facts.person_record SET surname = 'Jones' WHERE source_key = 'C1/1'")
    assert built(wh)["benefits:C1/1#1"]["fingerprint"] != expected


ALIKE = {"fraud": ("council_tax", "benefits"), "risk": ("council_tax", "benefits")}
APART = {"fraud": ("council_tax",), "risk": ("council_tax", "benefits")}  # what benefits know must not show in fraud


def _flagged(wh: Warehouse, flag: str, views: dict[str, tuple[str, ...]]) -> None:
    wh.execute("UPDATE identity.facts.person_record SET sensitivity = ? WHERE record_id = 'benefits:C1/1#1'", [flag])
    wh.execute("UPDATE identity.facts.residence SET source = split_part(record_id, ':', 1)")
    build_record_address(wh, views)
    build_record(wh, b"k" * 32)


@pytest.mark.parametrize(("views", "sealed"), [(ALIKE, True), (APART, False)], ids=["read alike", "read apart"])
def test_nobody_is_shown_where_a_sealed_person_lives(wh: Warehouse, views: dict[str, tuple[str, ...]], sealed: bool):
    _flagged(wh, "refuge", views)
    at = "SELECT uprn, postcode, address_line, home_key FROM {} WHERE record_id = 'council_tax:A1/1#1'"
    found = wh.rows(at.format(RECORD))
    assert (found == [(None, None, None, None)]) is sealed
    assert (not wh.rows(at.format(RECORD_ADDRESS))) is sealed
    # another home of nobody sealed stays
    assert wh.scalar(f"SELECT uprn FROM {RECORD} WHERE record_id = 'council_tax:A2/1#1'") == 999000000002


@pytest.mark.parametrize(("views", "reached"), [(ALIKE, True), (APART, False)], ids=["read alike", "read apart"])
def test_a_former_identity_is_never_linked_either(wh: Warehouse, views: dict[str, tuple[str, ...]], reached: bool):
    wh.execute(
        "UPDATE identity.facts.person_record SET nino = 'JK582016B' WHERE record_id IN"
        " ('benefits:C1/1#1', 'council_tax:A1/1#1')"
    )
    _flagged(wh, "gender_recognition", views)
    flags = dict(wh.rows(f"SELECT record_id, sensitivity FROM {RECORD} WHERE sensitivity IS NOT NULL"))
    assert flags == {"benefits:C1/1#1": "gender_recognition"} | (
        {"council_tax:A1/1#1": "gender_recognition"} if reached else {}
    )
    # when the flag goes, so does what followed from it
    wh.execute("UPDATE identity.facts.person_record SET sensitivity = NULL")
    build_record_address(wh, views)
    build_record(wh, b"k" * 32)
    assert not wh.rows(f"SELECT 1 FROM {RECORD} WHERE sensitivity IS NOT NULL")
