"""An erasure is asked for on a ground, answered by another, refused on a ground of the law; or nothing happens."""

import json
import shutil

import pytest
import sqlalchemy as sa

from pipelines.commit_point import Current
from pipelines.custody.asking import answered
from pipelines.erasure.asking import ask, listed, refuse
from pipelines.erasure.carrying_out import carry_out
from pipelines.faults import BoroughlinkError
from pipelines.governance import actors, approvals, audit
from pipelines.governance.approvals import ApprovalRefused
from pipelines.operations import standing_store
from pipelines.settings import DataFolder
from pipelines.snapshots import open_snapshot
from pipelines.store_tables import audit_table
from tests.review_app import town

WHY = "she objected and nothing overrides that"


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    folder, _ = town.found(tmp_path_factory.mktemp("town") / "data", people=120)
    return folder


@pytest.fixture
def folder(founded, tmp_path, monkeypatch):
    shutil.copytree(founded.root, tmp_path / "data")
    monkeypatch.setenv(actors.PLAYED, "ann")
    return DataFolder.at(tmp_path / "data")


@pytest.fixture
def somebody(folder):
    """A person id, and the records of that person."""
    with open_snapshot(folder) as (wh, _):
        ((person, records),) = wh.rows(
            "SELECT person_id, list(record_id ORDER BY record_id) FROM published.linkage.membership "
            "WHERE view = 'data_quality' GROUP BY ALL ORDER BY count(*) DESC, person_id LIMIT 1"
        )
    return person, records


def request_of(said: str) -> str:
    return said.split("request ")[1].split(".")[0]


def entries(folder):
    with standing_store(folder) as operations, operations.begin() as db:
        assert audit.verify(operations)[1] is None
        return [(row.event, row.object, row.detail) for row in db.execute(sa.select(audit_table))]


def test_who_is_unknown_or_asked_for_without_a_ground_is_refused(folder, somebody):
    person, _ = somebody
    for named, basis, why, told in (
        ("nobody", "objection", WHY, "No published record or person"),
        (person, "because", WHY, "no_longer_needed"),
        (person, "objection", "x", "reason"),
    ):
        with pytest.raises(BoroughlinkError, match=told):
            ask(folder, named, basis, why)


def test_no_record_id_stands_in_the_audit(folder, somebody):
    person, records = somebody
    ask(folder, person, "objection", WHY)
    ask(folder, records[0], "unlawful", WHY)
    said = json.dumps(entries(folder))
    assert person in said
    assert not [record for record in records if record in said]
    assert WHY not in said
    heads, rows = listed(folder).tables[0][1:]
    assert [row[heads.index("ground")][:16] for row in rows] == ["Article 17(1)(d)", "Article 17(1)(c)"]


def test_it_is_refused_by_another_on_a_ground_that_is_kept(folder, somebody, monkeypatch):
    request = request_of(ask(folder, somebody[0], "objection", WHY))
    reason = "The Limitation Act claim is before the court."
    with pytest.raises(ApprovalRefused, match="another person"):
        refuse(folder, request, "legal_claims", reason)
    monkeypatch.setenv(actors.PLAYED, "bob")
    with pytest.raises(BoroughlinkError, match="on a ground of the law"):
        answered(folder, request, yes=False)
    for exemption, why in (("none", reason), ("legal_claims", "no")):
        with pytest.raises(BoroughlinkError, match="refused"):
            refuse(folder, request, exemption, why)
    assert "Article 12(4)" in refuse(folder, request, "legal_claims", reason)
    with standing_store(folder) as operations:
        kept = approvals.find(operations, request)
    assert (kept.state, kept.said["refused with"]) == ("refused", reason)
    assert ("erasure exempt", somebody[0]) in {(event, of) for event, of, _ in entries(folder)}
    with pytest.raises(ApprovalRefused, match="it was refused"):
        carry_out(folder, request, None)


def test_what_cannot_be_taken_out_of_its_source_changes_nothing(folder, somebody, monkeypatch):
    """The town's records stand among the facts and in no source's history: there is nothing to take them out of."""
    request = request_of(ask(folder, somebody[0], "objection", WHY))
    with pytest.raises(ApprovalRefused, match="nobody has approved"):
        carry_out(folder, request, None)
    monkeypatch.setenv(actors.PLAYED, "bob")
    answered(folder, request, yes=True)
    before = Current.read(folder), folder.identity.read_bytes()
    with pytest.raises(BoroughlinkError, match="Nothing has changed"):
        carry_out(folder, request, None)
    assert (Current.read(folder), folder.identity.read_bytes()) == before
    with standing_store(folder) as operations:
        assert approvals.find(operations, request).state == "approved"
