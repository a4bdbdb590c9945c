"""One request about one person: each source serves the purpose, another person approves, nothing else is in it."""

import json

import pyrage
import pytest

from pipelines import warehouse
from pipelines.custody import disclosure
from pipelines.custody.asking import answered
from pipelines.custody.auditing import looks_at
from pipelines.faults import BoroughlinkError, Refusal
from pipelines.governance import actors, revealed
from pipelines.governance.approvals import ApprovalRefused
from pipelines.governance.purposes import PurposeRefused
from pipelines.keys.keyring import STANDING_KEYS, open_keyring
from pipelines.settings import DataFolder, load_settings, write_settings
from pipelines.warehouse import Warehouse
from tests.fraud.given import lay
from tests.risk.test_attributes import GIVEN

WHY, BASIS = "the court asks who pays", "Data Protection Act 2018 sch. 2 para 2"
KEY = pyrage.x25519.Identity.generate()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """People in the identity zone by hand: Ann in council tax and benefits, and one whose record is of a refuge."""
    folder = DataFolder.at(tmp_path / "data").make()
    write_settings(folder, holds="synthetic", clock="2026-11-01")
    key = open_keyring(folder, load_settings(folder), STANDING_KEYS).key("identity")
    with warehouse.opened({"identity": (folder.identity, key)}, folder.temp, (), "500MB", 1) as con:
        wh = Warehouse(con, "run", load_settings(folder).today())
        lay(wh, GIVEN)
        wh.execute(
            "INSERT INTO identity.facts.person_record BY NAME SELECT record_id, source, forename, surname, "
            "CASE WHEN record_id = 'benefits:C2' THEN 'refuge' END AS sensitivity FROM identity.people.record"
        )
    folder.identity.chmod(0o600)
    monkeypatch.setenv(actors.PLAYED, "ann")
    return folder


def asked(folder, *records, purpose="police"):
    return disclosure.ask(folder, purpose, records, BASIS, WHY).split("request ")[1].split(".")[0]


def test_what_is_held_of_named_records_goes_to_one_reader(folder, monkeypatch):
    request = asked(folder, "benefits:C1", "benefits:C2", "benefits:nobody")
    with pytest.raises(ApprovalRefused, match="nobody has approved"):
        disclosure.reveal(folder, request, str(KEY.to_public()))
    with pytest.raises(ApprovalRefused, match="another person must"):
        answered(folder, request, yes=True)
    monkeypatch.setenv(actors.PLAYED, "bob")
    answered(folder, request, yes=True)
    monkeypatch.setenv(actors.PLAYED, "eve")  # with a key of her own
    with pytest.raises(ApprovalRefused, match="for whoever asked or approved"):
        disclosure.reveal(folder, request, str(pyrage.x25519.Identity.generate().to_public()))
    monkeypatch.setenv(actors.PLAYED, "bob")
    said = disclosure.reveal(folder, request, str(KEY.to_public()))
    assert "1 of 3 records" in said and "protected: 1" in said
    path = folder.root / revealed.FOLDER / f"{request}.age"
    assert path.stat().st_mode & 0o777 == 0o600 and b"ANN" not in path.read_bytes()
    told = json.loads(pyrage.decrypt(path.read_bytes(), [KEY]))
    assert told["not_answered"] == ["benefits:C2", "benefits:nobody"]
    (record,) = told["records"].values()
    assert record["person_record"][0]["surname"] == "SMITH" and record["claim"][0]["claim_ref"] == "C1"
    assert "JONES" not in str(told) and "council_tax" not in str(told["records"].keys())
    entries = looks_at(folder, "benefits:C1").plain()["About this person"]
    assert entries[0]["event"] == "disclosure done"
    with pytest.raises(ApprovalRefused, match="used already"):
        disclosure.reveal(folder, request, str(KEY.to_public()))


@pytest.mark.parametrize(
    ("purpose", "record", "says"),
    [
        ("police", "births:1", "`births` may not be read for `police`"),
        ("debt", "adult_social_care:S1", "`adult_social_care` may not be read for `debt`"),
        ("weather", "benefits:C1", "is no purpose"),
        ("risk", "benefits:C1", "Nobody appears by name for `risk`"),
        ("police", "nonsense", "no contract for the source"),
    ],
)
def test_a_source_that_may_not_serve_is_refused_before_it_is_read(folder, purpose, record, says):
    with pytest.raises(PurposeRefused, match=says):
        disclosure.ask(folder, purpose, [record], BASIS, WHY)


def test_nobody_asks_in_bulk_or_without_a_basis(folder):
    with pytest.raises(Refusal, match="1 to 50 records"):
        disclosure.ask(folder, "police", [f"benefits:{n}" for n in range(51)], BASIS, WHY)
    with pytest.raises(BoroughlinkError, match="legal basis"):
        disclosure.ask(folder, "police", ["benefits:C1"], "law", WHY)


@pytest.mark.parametrize(
    "elsewhere",
    [  # a flag that reached this record from another; a home in which somebody lives who must not be found
        "UPDATE identity.people.record SET sensitivity = 'gender_recognition' WHERE record_id = 'benefits:C1'",
        "CREATE TABLE identity.people.sealed_place AS SELECT DISTINCT uprn, 'benefits' AS source "
        "FROM identity.facts.claim JOIN identity.places.address_uprn USING (address_id) "
        "WHERE record_id = 'benefits:C1'",
    ],
)
def test_protection_by_another_record_keeps_one_back_too(folder, monkeypatch, elsewhere):
    key = open_keyring(folder, load_settings(folder), STANDING_KEYS).key("identity")
    with warehouse.opened({"identity": (folder.identity, key)}, folder.temp, (), "500MB", 1) as con:
        con.execute(elsewhere)
        assert con.execute("SELECT count(*) FROM identity.places.address_uprn").fetchall()[0][0]
    request = asked(folder, "benefits:C1")
    monkeypatch.setenv(actors.PLAYED, "bob")
    answered(folder, request, yes=True)
    said = disclosure.reveal(folder, request, str(KEY.to_public()))
    assert "0 of 1 records" in said and "protected: 1" in said


@pytest.mark.parametrize("purpose", ["debt", "police", "subject_access"])
def test_each_purpose_of_single_requests_can_be_answered(folder, monkeypatch, purpose):
    request = asked(folder, "benefits:C1", purpose=purpose)
    monkeypatch.setenv(actors.PLAYED, "bob")
    answered(folder, request, yes=True)
    assert "1 of 1 records" in disclosure.reveal(folder, request, str(KEY.to_public()))
