"""From built to revoked: every step a state, nobody approving their own, nothing readable but by its recipient."""

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyrage
import pytest
import sqlalchemy as sa

from pipelines.faults import BoroughlinkError
from pipelines.governance import approvals
from pipelines.governance.actors import Actor, actor
from pipelines.governance.approvals import ApprovalRefused
from pipelines.governance.keys import Keyring
from pipelines.governance.opt_out import OptOutMissing, import_list, opted_out
from pipelines.governance.purposes import PurposeRefused, Purposes
from pipelines.operations import Operations, audit_table, payload_table, release_table, request_table
from pipelines.releases import lifecycle
from pipelines.releases.building import build
from pipelines.releases.ending import revoke, sweep
from pipelines.releases.lifecycle import approve, check, publish
from pipelines.releases.sealed import place_of
from pipelines.releases.sets import ReleaseRefused, load_set
from pipelines.releases.store import copies, find, holds_key, update
from pipelines.settings import DataFolder, Settings
from pipelines.warehouse import Warehouse, scratch_warehouse
from tests.releases.borough import TODAY, lay, nhs_list, opt_out, purposes

ANN, BOB = Actor("ann"), Actor("bob")
SETTINGS = Settings(clock=TODAY)
KEY = pyrage.x25519.Identity.generate()
RECIPIENT = str(KEY.to_public())
FIT = "9990000018"


@dataclass
class Desk:
    """A folder with its store and attributes, and the purposes of the day."""

    wh: Warehouse
    folder: DataFolder
    operations: Operations
    purposes: Purposes
    settings: Settings = SETTINGS

    def built(self, name: str = "risk_stratification", who: Actor = ANN, **more: Any) -> str:
        manifest = build(
            self.wh, self.folder, self.settings, self.operations, self.purposes, load_set(name), who, **more
        )
        return str(manifest["release_id"])

    def checked(self, name: str = "risk_stratification", who: Actor = ANN, **more: Any) -> str:
        release_id = self.built(name, who, **more)
        check(self.wh, self.folder, self.settings, self.operations, self.purposes, release_id, RECIPIENT, who)
        return release_id

    def published(self, release_id: str, out: Path, who: Actor = ANN) -> Path:
        return publish(self.folder, self.settings, self.operations, self.purposes, release_id, out, who)

    def events(self) -> list[tuple[str, str]]:
        with self.operations.begin() as db:
            return [
                (row.actor, row.event)
                for row in db.execute(sa.select(audit_table.c.actor, audit_table.c.event).order_by(audit_table.c.seq))
            ]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    folder = DataFolder.at(tmp_path / "data").make()
    operations = Operations.open(folder, Keyring.ephemeral())
    import_list(operations, nhs_list(tmp_path / "list.csv", FIT), date(2026, 10, 25), TODAY, ANN)
    with scratch_warehouse(TODAY, "run-1") as wh:
        lay(wh, 1500)
        yield Desk(wh, folder, operations, purposes())
    operations.close()


def opened(path: Path, key: Any = KEY) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(path.read_bytes(), [key]))) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar.getmembers()}  # type: ignore[union-attr]


def test_of_two_who_publish_at_once_one_writes_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes that both saw the approval standing: the second has no file, and every file has its copy noted."""
    release_id, standing = desk.checked(), approvals.standing
    approve(desk.operations, release_id, BOB)

    def meanwhile(*given: Any) -> approvals.Request:
        request = standing(*given)
        monkeypatch.setattr(approvals, "standing", standing)
        desk.published(release_id, tmp_path / "first.age")
        return request

    monkeypatch.setattr(approvals, "standing", meanwhile)
    with pytest.raises(ApprovalRefused, match="used already"):
        desk.published(release_id, tmp_path / "second.age")
    assert [path.name for path in tmp_path.glob("*.age")] == ["first.age"]
    assert [copy["file"] for copy in copies(desk.operations, release_id)] == ["first.age"]


def test_a_release_that_is_revoked_meanwhile_does_not_leave(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_id, done = desk.checked(), approvals.done
    approve(desk.operations, release_id, BOB)

    def meanwhile(*given: Any, **more: Any) -> None:
        revoke(desk.operations, release_id, "the agreement ended today", BOB)
        done(*given, **more)

    monkeypatch.setattr(approvals, "done", meanwhile)
    with pytest.raises(ReleaseRefused, match="ended meanwhile"):
        desk.published(release_id, tmp_path / "late.age")
    assert not list(tmp_path.glob("*.age")) and find(desk.operations, release_id).state == "revoked"


@pytest.mark.parametrize(
    "name", ["ICB\x1b[2K\rUniversity", "ICB\nApproved by bob", "ICB\u202eytisrevinU", "ＩＣＢ", "x" * 121]
)
def test_a_name_that_reads_otherwise_than_it_is_written_is_no_recipient_and_no_series(desk: Desk, name: str) -> None:
    for given in ({"recipient": name}, {"series": name}):
        with pytest.raises(ReleaseRefused, match=r"printable|for nobody"):
            desk.built(**given)


def test_a_release_goes_its_way_and_only_its_recipient_can_open_it(desk: Desk, tmp_path: Path) -> None:
    release_id = desk.checked()
    assert approve(desk.operations, release_id, BOB).state == "approved"
    out = desk.published(release_id, tmp_path / "hand-over.age")
    inside = opened(out)
    rows = pl.read_parquet(io.BytesIO(inside["risk_stratification.parquet"]))
    manifest = json.loads(inside["manifest.json"])
    assert rows.height == manifest["rows"] and manifest["made_by"] == "ann" and manifest["approved_by"] == "bob"
    assert manifest["measured"]["k"] >= 10 and manifest["measured"]["mean_risk"] <= 0.03
    assert manifest["recipient"] and manifest["delete_after"] == "2027-04-30"
    assert "section 171" in inside["LICENCE.txt"].decode() == manifest["licence"] + "\n"
    assert not {"key", "seal", "request", "people"} & set(manifest)
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(out.read_bytes(), [pyrage.x25519.Identity.generate()])
    assert out.stat().st_mode & 0o777 == 0o600
    assert not [one for one in rows["person"] if one.encode() in out.read_bytes()]
    assert [event for _, event in desk.events()][1:] == [
        "release built", "release requested", "release checked", "release approved", "release done",
        "release published",
    ]  # fmt: skip


def test_who_is_not_in_the_file_is_told_as_counts_that_leave_are(desk: Desk, tmp_path: Path) -> None:
    few, many = [f"id{i:05d}" for i in range(3)], [f"id{i:05d}" for i in range(13)]
    for people, said in ((few, "fewer than 10"), (many, 15)):
        opt_out(desk.wh, people)
        release_id = desk.checked()
        approve(desk.operations, release_id, BOB)
        inside = json.loads(opened(desk.published(release_id, tmp_path / f"{len(people)}.age"))["manifest.json"])
        assert inside["left_out_by_national_data_opt_out"] == said
        assert inside["rows_left_out"] in ("fewer than 10", 10, 15)
        assert find(desk.operations, release_id).manifest["left_out_by_national_data_opt_out"] == len(people)
        assert all("." not in kept for told in inside["rows_kept_by"].values() for kept in told.values())


def test_nothing_that_lies_in_the_folder_says_who_or_can_be_read(desk: Desk) -> None:
    release_id = desk.built()
    manifest = find(desk.operations, release_id).manifest
    place = place_of(desk.folder, manifest)
    text = (place / "manifest.json").read_text()
    assert (
        "anonym" not in text.replace("pseudonym", "").lower() and manifest["status"] == "personal data, pseudonymised"
    )
    for path in place.iterdir():
        content = path.read_bytes()
        assert b"id000" not in content and b"home0" not in content and b"Leigh,lower" not in content
        assert path.stat().st_mode & 0o777 == 0o600


def test_two_releases_to_the_same_recipient_share_no_pseudonym(desk: Desk, tmp_path: Path) -> None:
    people = []
    for name in ("one", "two"):
        release_id = desk.checked()
        approve(desk.operations, release_id, BOB)
        inside = opened(desk.published(release_id, tmp_path / f"{name}.age"))
        people.append(set(pl.read_parquet(io.BytesIO(inside["risk_stratification.parquet"]))["person"]))
    assert people[0] and not people[0] & people[1]


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
    check(desk.wh, desk.folder, desk.settings, desk.operations, desk.purposes, release_id, RECIPIENT, BOB)
    for who in (ANN, BOB):
        with pytest.raises(BoroughlinkError, match="another person must"):
            approve(desk.operations, release_id, who)
    assert approve(desk.operations, release_id, Actor("carol")).state == "approved"


def test_an_approval_that_somebody_wrote_in_by_hand_publishes_nothing(desk: Desk, tmp_path: Path) -> None:
    release_id = desk.checked()
    with desk.operations.begin() as db:
        db.execute(sa.update(release_table).values(state="approved"))
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
    with desk.operations.begin() as db:
        where = release_table.c.release_id == changed
        db.execute(sa.update(release_table).where(where).values(manifest=json.dumps(manifest)))
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
        check(desk.wh, desk.folder, desk.settings, desk.operations, desk.purposes, release_id, other, ANN)
    update(desk.operations, release_id, "approved", recipient_key=other)
    with pytest.raises(ApprovalRefused, match="has changed since"):
        desk.published(release_id, tmp_path / "x.age")
    in_app = desk.checked()  # approved there, its state is `checked` still: another key asks anew
    approvals.approve(desk.operations, BOB, str(find(desk.operations, in_app).manifest["request"]))
    check(desk.wh, desk.folder, desk.settings, desk.operations, desk.purposes, in_app, other, ANN)
    with pytest.raises(ApprovalRefused, match="nobody has approved"):
        desk.published(in_app, tmp_path / "x.age")
    assert not list(tmp_path.glob("*.age"))


def test_a_key_that_is_none_and_a_release_for_nobody_are_refused(desk: Desk, tmp_path: Path) -> None:
    release_id = desk.built()
    for key in ("", "age1nobody", "ssh-rsa AAAA", str(KEY)):
        with pytest.raises(ReleaseRefused, match="no age key"):
            check(desk.wh, desk.folder, desk.settings, desk.operations, desk.purposes, release_id, key, ANN)
    assert find(desk.operations, release_id).state == "built"
    with pytest.raises(ReleaseRefused, match="for nobody"):
        desk.built(recipient="  ")
    desk.wh.execute("DELETE FROM attributes.risk.score")
    with pytest.raises(ReleaseRefused, match="nobody to release"):
        desk.built()
    assert desk.events()[-1] == ("ann", "release refused")


def test_a_flipped_bit_is_found(desk: Desk) -> None:
    release_id = desk.built()
    place = place_of(desk.folder, find(desk.operations, release_id).manifest)
    path = place / "risk_stratification.parquet.sealed"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ReleaseRefused, match="not as it was built"):
        check(desk.wh, desk.folder, desk.settings, desk.operations, desk.purposes, release_id, RECIPIENT, ANN)


def test_what_the_check_refuses_is_never_published(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    release_id = desk.built("partner_needs")
    desk.wh.execute("UPDATE attributes.attributes.person SET ward = 'A place of ten' WHERE person_id < 'id00012'")
    real = lifecycle.attack
    monkeypatch.setattr(lifecycle, "attack", lambda *a: replace(real(*a), unique=1))
    with pytest.raises(ReleaseRefused, match="1 rows are unique"):
        check(desk.wh, desk.folder, desk.settings, desk.operations, desk.purposes, release_id, RECIPIENT, ANN)
    assert find(desk.operations, release_id).state == "refused"
    with pytest.raises(ReleaseRefused, match="refused by its check"):
        approve(desk.operations, release_id, BOB)


def test_revoking_destroys_the_keys_and_marks_the_copies(desk: Desk, tmp_path: Path) -> None:
    release_id = desk.checked()
    approve(desk.operations, release_id, BOB)
    desk.published(release_id, tmp_path / "x.age")
    manifest = find(desk.operations, release_id).manifest
    with pytest.raises(ReleaseRefused, match="in a sentence"):
        revoke(desk.operations, release_id, "lost", ANN)
    (taken,), marked = revoke(desk.operations, release_id, "the laptop was left on a train", BOB)
    assert marked == 1 and taken.state == "revoked" and copies(desk.operations, release_id)[0]["revoked_at"]
    with desk.operations.begin() as db:
        kept = {row.payload_id: row.sealed for row in db.execute(sa.select(payload_table))}
    assert kept[manifest["key"]] == kept[manifest["seal"]] == b""
    with pytest.raises(ReleaseRefused, match="was revoked"):
        desk.published(release_id, tmp_path / "y.age")


def test_a_series_goes_on_by_choice_and_says_who_gave_way_to_whom(desk: Desk, tmp_path: Path) -> None:
    def people(release_id: str, name: str) -> tuple[set[str], list[dict[str, str]], dict[str, Any]]:
        check(desk.wh, desk.folder, desk.settings, desk.operations, desk.purposes, release_id, RECIPIENT, ANN)
        approve(desk.operations, release_id, BOB)
        inside = opened(desk.published(release_id, tmp_path / f"{name}.age"))
        rows = pl.read_parquet(io.BytesIO(inside["risk_stratification.parquet"]))
        told = pl.read_csv(inside["superseded.csv"], infer_schema=False).rows(named=True)
        return set(rows["person"]), told, json.loads(inside["manifest.json"])["continuity"]

    first, none, begun = people(desk.built(series="monthly"), "first")
    assert begun["after"] is None and none == []
    for table in ("attributes.risk.score", "attributes.attributes.person"):
        desk.wh.execute(f"UPDATE {table} SET person_id = 'new1' WHERE person_id = 'id00021'")
        desk.wh.execute(f"DELETE FROM {table} WHERE person_id = 'id00022'")
    desk.wh.table(
        "attributes.attributes.person_change",
        "FROM (VALUES ('id00022', 'id00082', 'merged', DATE '2026-11-01'), "
        "('id00081', 'new1', 'split', DATE '2026-11-01'), ('never', 'id00082', 'merged', DATE '2026-11-01')) "
        "AS t(old_id, new_id, event, day)",
    )
    second, told, goes_on = people(desk.built(series="monthly"), "second")
    assert len(first & second) == goes_on["people_who_go_on"] > 0.97 * len(first)
    assert {(row["event"], row["date"]) for row in told} == {("merge", "2026-11-01"), ("split", "2026-11-01")}
    by_event = {row["event"]: row for row in told}
    assert by_event["merge"]["old"] in first - second and by_event["merge"]["new"] in first & second
    assert by_event["split"]["old"] in first & second and by_event["split"]["new"] in second - first
    assert goes_on["of_whom_merged"] == 1 and goes_on["people_gone"] >= 2
    apart = desk.checked()
    assert (
        find(desk.operations, apart).manifest["key"]
        != find(desk.operations, desk.built(series="monthly")).manifest["key"]
    )
    with pytest.raises(ReleaseRefused, match="never shared with another"):
        desk.built(series="monthly", recipient="Somebody else")
    with pytest.raises(ReleaseRefused, match="never shared with another"):
        desk.built("partner_needs", series="monthly")


def test_a_release_of_a_series_is_taken_back_alone_unless_the_series_is_asked_for(desk: Desk) -> None:
    first, second = desk.built(series="monthly"), desk.built(series="monthly")
    naming = str(find(desk.operations, first).manifest["key"])
    revoke(desk.operations, second, "sent to the wrong address", ANN)
    assert [find(desk.operations, one).state for one in (first, second)] == ["built", "revoked"]
    assert not holds_key(desk.operations, str(find(desk.operations, second).manifest["seal"]))
    third = find(desk.operations, desk.built(series="monthly")).manifest
    assert third["key"] == naming and third["continuity"]["after"] == first
    with pytest.raises(ReleaseRefused, match="revoked already"):
        revoke(desk.operations, second, "sent to the wrong address", ANN)
    taken, _ = revoke(desk.operations, second, "the agreement has ended", ANN, series=True)
    assert {one.release_id for one in taken} == {first, third["release_id"]} and not holds_key(desk.operations, naming)
    with pytest.raises(ReleaseRefused, match="has ended, and its key with it"):
        desk.built(series="monthly")
    with pytest.raises(ReleaseRefused, match="revoked already"):
        revoke(desk.operations, first, "the agreement has ended", ANN, series=True)
    with pytest.raises(ReleaseRefused, match="in no series"):
        revoke(desk.operations, desk.built(), "the agreement has ended", ANN, series=True)


def test_a_release_past_its_day_is_swept_with_its_keys(desk: Desk, tmp_path: Path) -> None:
    alone, early = desk.checked(), desk.built(series="monthly")
    approve(desk.operations, alone, BOB)
    desk.published(alone, tmp_path / "x.age")
    desk.settings = Settings(clock=TODAY + timedelta(days=5))
    late = desk.built(series="monthly")
    found = {name: find(desk.operations, name).manifest for name in (alone, early, late)}
    last_day = date.fromisoformat(found[alone]["delete_after"])
    assert sweep(desk.folder, desk.operations, last_day, "night") == []
    assert set(sweep(desk.folder, desk.operations, last_day + timedelta(days=1), "night")) == {alone, early}
    assert [find(desk.operations, name).state for name in found] == ["expired", "expired", "built"]
    gone = [found[alone][key] for key in ("seal", "key")] + [found[early][key] for key in ("seal", "people")]
    assert not any(holds_key(desk.operations, key) for key in gone) and holds_key(desk.operations, found[late]["key"])
    assert not place_of(desk.folder, found[alone]).exists() and place_of(desk.folder, found[late]).exists()
    assert copies(desk.operations, alone)[0]["revoked_at"]
    revoke(desk.operations, late, "the agreement has ended", ANN)
    assert holds_key(desk.operations, found[late]["key"])  # the series could go on until its last day
    assert sweep(desk.folder, desk.operations, last_day + timedelta(days=30), "night") == []
    assert not holds_key(desk.operations, found[late]["key"])
    assert desk.events().count(("night", "release expired")) == 2
    with pytest.raises(ReleaseRefused, match="was to be deleted, and is"):
        desk.published(alone, tmp_path / "y.age")


def test_only_a_role_that_the_purpose_names_approves(desk: Desk, tmp_path: Path) -> None:
    desk.settings = Settings(clock=TODAY, roles={"siro": ("bob",), "information_asset_owner": ("ivy",)})
    internal, partner = desk.checked(), desk.checked("partner_needs")
    for wrong in (Actor("carol"), Actor("dan", frozenset({"data_protection", "key_custodian"}))):
        with pytest.raises(ApprovalRefused, match="`information_asset_owner or siro`"):
            approve(desk.operations, internal, wrong)
    assert approve(desk.operations, internal, actor("ivy", desk.settings)).state == "approved"
    with pytest.raises(ApprovalRefused, match="`data_protection or siro`"):
        approve(desk.operations, partner, actor("ivy", desk.settings))
    assert ("ivy", "release refused") in desk.events() and ("ivy", "release approval denied") in desk.events()
    # in the app the request itself is answered, and the release can be handed over
    approvals.approve(
        desk.operations, actor("bob", desk.settings), str(find(desk.operations, partner).manifest["request"])
    )
    inside = opened(desk.published(partner, tmp_path / "x.age"))
    assert json.loads(inside["manifest.json"])["approved_by"] == "bob"
    real = Settings(clock=TODAY, holds="real")
    assert approvals.role_needed(real, "siro") == "siro" and approvals.role_needed(SETTINGS, "siro") is None


def test_in_the_app_too_neither_maker_nor_asker_approves(desk: Desk) -> None:
    release_id = desk.built(who=ANN)
    check(desk.wh, desk.folder, desk.settings, desk.operations, desk.purposes, release_id, RECIPIENT, BOB)
    request = str(find(desk.operations, release_id).manifest["request"])
    for who in (ANN, BOB):
        with pytest.raises(ApprovalRefused, match="another person must"):
            approvals.approve(desk.operations, who, request)


def test_the_opt_out_list_must_be_there_recent_and_known_to_the_run(desk: Desk, tmp_path: Path) -> None:
    opt_out(desk.wh, [], None)
    with pytest.raises(OptOutMissing, match="came after the last run"):
        desk.built()
    opt_out(desk.wh, [], date(2026, 10, 25))
    desk.settings = Settings(clock=TODAY + timedelta(days=15))
    with pytest.raises(OptOutMissing, match="22 days old, more than 21"):
        desk.built()
    desk.settings = SETTINGS
    empty = Operations.open(DataFolder.at(tmp_path / "other").make(), Keyring.ephemeral())
    with pytest.raises(OptOutMissing, match="was ever taken in"):
        build(desk.wh, desk.folder, SETTINGS, empty, desk.purposes, load_set("partner_needs"), ANN)
    empty.close()
    assert desk.events()[-1] == ("ann", "release refused")


def test_a_person_who_opts_out_after_the_build_stops_the_release(desk: Desk) -> None:
    release_id = desk.built()
    opt_out(desk.wh, ["id00010"])
    with pytest.raises(ReleaseRefused, match="1 rows are of people on the national data opt-out list"):
        check(desk.wh, desk.folder, desk.settings, desk.operations, desk.purposes, release_id, RECIPIENT, ANN)
    assert find(desk.operations, release_id).state == "refused"


def test_the_list_is_taken_in_whole_and_keeps_no_number(desk: Desk, tmp_path: Path) -> None:
    operations = desk.operations
    assert opted_out(operations, {"a": FIT, "b": "9990000026"}) == {"a"}
    for numbers, line in (("9990000019", 2), ("12345", 2), ("9990000026\nAnn", 3)):
        path = tmp_path / "bad.csv"
        path.write_text(f"nhs_number\n{numbers}\n")
        with pytest.raises(BoroughlinkError, match=rf"bad.csv, line {line}: no NHS number") as refused:
            import_list(operations, path, date(2026, 10, 30), TODAY, ANN)
        assert numbers not in str(refused.value)
    assert opted_out(operations, {"a": FIT}) == {"a"}
    with pytest.raises(BoroughlinkError, match="an older one"):
        import_list(operations, nhs_list(tmp_path / "l.csv", FIT), date(2026, 10, 1), TODAY, ANN)
    with pytest.raises(BoroughlinkError, match="after today"):
        import_list(operations, nhs_list(tmp_path / "l.csv", FIT), date(2026, 12, 1), TODAY, ANN)
    assert import_list(operations, nhs_list(tmp_path / "l.csv", "999 000 0026"), TODAY, TODAY, BOB) == 1
    assert opted_out(operations, {"a": FIT, "b": "9990000026"}) == {"b"}
    assert FIT.encode() not in desk.folder.operations.read_bytes()


def test_a_purpose_that_lost_its_basis_stops_building_checking_and_publishing(desk: Desk, tmp_path: Path) -> None:
    release_id, waiting = desk.checked(), desk.built()
    approve(desk.operations, release_id, BOB)
    desk.purposes = purposes(date(2028, 1, 1))
    with pytest.raises(PurposeRefused, match="expired on 2027-12-31"):
        desk.built()
    with pytest.raises(PurposeRefused, match="expired on 2027-12-31"):
        check(desk.wh, desk.folder, desk.settings, desk.operations, desk.purposes, waiting, RECIPIENT, ANN)
    with pytest.raises(PurposeRefused, match="expired on 2027-12-31"):
        desk.published(release_id, tmp_path / "x.age")
    assert [event for _, event in desk.events()].count("purpose refused") == 3
