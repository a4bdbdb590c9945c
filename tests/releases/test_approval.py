"""Another person approves, in a role that may, these very files for one key, once and in time."""

import json
from pathlib import Path

import pyrage
import pytest
import sqlalchemy as sa

from pipelines.faults import BoroughlinkError
from pipelines.governance import approvals
from pipelines.governance.actors import Actor, actor
from pipelines.governance.approvals import ApprovalRefused
from pipelines.keys.row_macs import RowChanged
from pipelines.releases.lifecycle import approve, check
from pipelines.releases.sets import ReleaseRefused
from pipelines.releases.store import find, update
from pipelines.settings import Settings
from pipelines.store_tables import release_table, request_table
from tests.releases.borough import TODAY
from tests.releases.desk import ANN, BOB, RECIPIENT, SETTINGS, Desk, opened


@pytest.mark.parametrize(
    "again",
    [
        Actor("ann"),
        Actor("bob", names=frozenset({"ann"})),  # sudo: another name, the same login behind it
        actor("ANN@council.gov.uk", SETTINGS),
        actor("COUNCIL\\Ann", SETTINGS),
        actor("asmith", Settings(logins={"ann": ("asmith",)})),
        actor("ann", Settings(roles={"caldicott": ("ann",), "maker": ("ann",)})),
    ],
)
def test_whoever_made_a_release_approves_it_by_no_route(desk: Desk, again: Actor) -> None:
    release_id = desk.checked()
    with pytest.raises(BoroughlinkError, match="another person must"):
        approve(desk.operations, release_id, again)
    with pytest.raises(ApprovalRefused):
        approvals.approve(desk.operations, again, str(find(desk.operations, release_id).manifest["request"]))
    assert find(desk.operations, release_id).state == "checked"
    assert (again.login, "release refused") in desk.events()


def test_who_made_it_does_not_approve_what_another_checked(desk: Desk) -> None:
    release_id = desk.built(who=ANN)
    check(desk.wh, desk.at, release_id, RECIPIENT, BOB)
    for who in (ANN, BOB):
        with pytest.raises(BoroughlinkError, match="another person must"):
            approve(desk.operations, release_id, who)
    assert approve(desk.operations, release_id, Actor("carol")).state == "approved"


def test_an_approval_that_somebody_wrote_in_by_hand_publishes_nothing(desk: Desk, tmp_path: Path) -> None:
    release_id = desk.checked()
    with desk.operations.begin() as db:
        held = db.execute(sa.select(release_table)).mappings().one()
        db.execute(sa.update(release_table).values(state="approved"))
    with pytest.raises(RowChanged, match=f"table `release`, row {release_id}"):
        desk.published(release_id, tmp_path / "x.age")
    with desk.operations.begin() as db:
        db.execute(sa.update(release_table).values(held))
    update(desk.operations, release_id, "approved")
    with pytest.raises(ApprovalRefused, match="nobody has approved"):
        desk.published(release_id, tmp_path / "x.age")
    with pytest.raises(sa.exc.IntegrityError), desk.operations.begin() as db:
        db.execute(sa.update(request_table).values(state="approved", answered_by="ann"))
    assert not (tmp_path / "x.age").exists()


def test_an_approval_is_for_these_files_once_and_in_time(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, late, used = (desk.checked() for _ in range(3))
    for release_id in (changed, late, used):
        approve(desk.operations, release_id, BOB)
    manifest = find(desk.operations, changed).manifest
    manifest["files"][0]["sha256"] = "0" * 64
    update(desk.operations, changed, "approved", files=manifest["files"])
    with pytest.raises(ApprovalRefused, match="has changed since"):
        desk.published(changed, tmp_path / "x.age")
    desk.published(used, tmp_path / "used.age")
    with pytest.raises(ReleaseRefused, match="published already"):
        desk.published(used, tmp_path / "x.age")
    monkeypatch.setattr(approvals, "timestamp", lambda: "2999-01-01T00:00:00.000+00:00")
    with pytest.raises(ApprovalRefused, match="approval ended on"):
        desk.published(late, tmp_path / "x.age")
    assert not (tmp_path / "x.age").exists()
    assert ("ann", "release denied") in desk.events() and ("ann", "release refused") in desk.events()


def test_the_approval_is_for_one_key_and_the_maker_can_put_no_other_in_its_place(desk: Desk, tmp_path: Path) -> None:
    release_id, other = desk.checked(), str(pyrage.x25519.Identity.generate().to_public())
    manifest = find(desk.operations, release_id).manifest
    asked = approvals.find(desk.operations, str(manifest["request"])).said
    assert asked["recipient_key"] == RECIPIENT and RECIPIENT in asked["reason"]
    approve(desk.operations, release_id, BOB)
    with pytest.raises(ReleaseRefused, match="approved already"):
        check(desk.wh, desk.at, release_id, other, ANN)
    update(desk.operations, release_id, "approved", recipient_key=other)
    with pytest.raises(ApprovalRefused, match="has changed since"):
        desk.published(release_id, tmp_path / "x.age")
    in_app = desk.checked()  # approved there, its state is `checked` still: another key asks anew
    approvals.approve(desk.operations, BOB, str(find(desk.operations, in_app).manifest["request"]))
    check(desk.wh, desk.at, in_app, other, ANN)
    with pytest.raises(ApprovalRefused, match="nobody has approved"):
        desk.published(in_app, tmp_path / "x.age")
    assert not list(tmp_path.glob("*.age"))


def test_only_a_role_that_the_purpose_names_approves(desk: Desk, tmp_path: Path) -> None:
    desk.settings = Settings(clock=TODAY, roles={"siro": ("bob",), "information_asset_owner": ("ivy",)})
    internal, partner = desk.checked(), desk.checked("partner_needs")
    for wrong in (Actor("carol"), Actor("dan", frozenset({"data_protection_officer", "key_custodian"}))):
        with pytest.raises(ApprovalRefused, match="`information_asset_owner` or `siro`"):
            approve(desk.operations, internal, wrong)
    assert approve(desk.operations, internal, actor("ivy", desk.settings)).state == "approved"
    with pytest.raises(ApprovalRefused, match="`data_protection_officer` or `siro`"):
        approve(desk.operations, partner, actor("ivy", desk.settings))
    assert ("ivy", "release refused") in desk.events() and ("ivy", "release approval denied") in desk.events()
    # in the app the request itself is answered, and the release can be handed over
    approvals.approve(
        desk.operations, actor("bob", desk.settings), str(find(desk.operations, partner).manifest["request"])
    )
    inside = opened(desk.published(partner, tmp_path / "x.age"))
    assert json.loads(inside["manifest.json"])["approved_by"] == "bob"
    real = Settings(clock=TODAY, holds="real")
    assert approvals.roles_needed(real, "siro") == {"siro"} and not approvals.roles_needed(SETTINGS, "siro")


def test_in_the_app_too_neither_maker_nor_asker_approves(desk: Desk) -> None:
    release_id = desk.built(who=ANN)
    check(desk.wh, desk.at, release_id, RECIPIENT, BOB)
    request = str(find(desk.operations, release_id).manifest["request"])
    for who in (ANN, BOB):
        with pytest.raises(ApprovalRefused, match="another person must"):
            approvals.approve(desk.operations, who, request)
