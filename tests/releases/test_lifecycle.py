"""From built to published: every step a state, nothing readable but by its recipient."""

import io
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyrage
import pytest

from pipelines.faults import BoroughlinkError
from pipelines.governance import approvals
from pipelines.governance.approvals import ApprovalRefused
from pipelines.governance.opt_out import OptOutMissing, import_list, opted_out
from pipelines.governance.purposes import PurposeRefused
from pipelines.keys.keyring import Keyring
from pipelines.operations import Operations
from pipelines.releases import lifecycle
from pipelines.releases.attacks import Measured
from pipelines.releases.building import build
from pipelines.releases.ending import revoke
from pipelines.releases.joining import joined
from pipelines.releases.lifecycle import approve, check
from pipelines.releases.sealed import place_of
from pipelines.releases.sets import ReleaseRefused, load_set
from pipelines.releases.store import copies, find
from pipelines.settings import DataFolder, Settings
from tests.releases.borough import TODAY, nhs_list, opt_out, purposes
from tests.releases.desk import ANN, BOB, FIT, KEY, RECIPIENT, SETTINGS, Desk, opened


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


def test_a_key_that_is_none_and_a_release_for_nobody_are_refused(desk: Desk, tmp_path: Path) -> None:
    release_id = desk.built()
    for key in ("", "age1nobody", "ssh-rsa AAAA", str(KEY)):
        with pytest.raises(BoroughlinkError, match="no age key"):
            check(desk.wh, desk.at, release_id, key, ANN)
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
        check(desk.wh, desk.at, release_id, RECIPIENT, ANN)


def test_what_the_check_refuses_is_never_published(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    release_id = desk.built("partner_needs")
    desk.wh.execute("UPDATE attributes.attributes.person SET ward = 'A place of ten' WHERE person_id < 'id00012'")
    real = lifecycle.attack
    monkeypatch.setattr(lifecycle, "attack", lambda *a: replace(real(*a), unique=1))
    with pytest.raises(ReleaseRefused, match="1 rows are unique"):
        check(desk.wh, desk.at, release_id, RECIPIENT, ANN)
    assert find(desk.operations, release_id).state == "refused"
    with pytest.raises(ReleaseRefused, match="refused by its check"):
        approve(desk.operations, release_id, BOB)


@pytest.mark.parametrize("name", ["partner_needs", "risk_stratification"])
def test_rows_that_join_with_a_release_in_other_hands_are_told_and_outside_the_council_refused(
    desk: Desk, name: str
) -> None:
    desk.wh.execute(  # as unlike as people are
        "UPDATE attributes.attributes.person SET link_quality = 'one of a kind ' || person_id "
        "WHERE person_id < 'id00200'"
    )
    first = desk.checked(name, recipient="First team")
    alike = desk.built(name, recipient="first team")
    second = desk.built(name, recipient="Second team")

    def checked(release_id: str) -> Measured:
        return check(desk.wh, desk.at, release_id, RECIPIENT, ANN)[1]

    assert checked(alike).joined is None  # in the same hands already
    revoke(desk.operations, alike, "it was built twice", ANN)  # else either of the two may be named below
    says = f"of its rows can be joined one to one with those of {first}"
    if name == "partner_needs":
        with pytest.raises(ReleaseRefused, match=says):
            checked(second)
        assert find(desk.operations, second).manifest["measured"]["joined"] > 0.01
        revoke(desk.operations, first, "the other goes out", ANN)
        assert checked(desk.built(name, recipient="Second team")).joined is None
    else:
        found = checked(second)
        assert found.joined is not None and found.joined > 0.01 and found.joined_with is not None
        request = str(find(desk.operations, second).manifest["request"])
        assert says in approvals.find(desk.operations, request).said["reason"]


def test_rows_join_where_they_are_alone_in_both_files_and_alike() -> None:
    here = pl.DataFrame({"age": ["1", "1", "2", None], "why": [["a"], ["a"], ["b"], None], "day": ["May"] * 4})
    there = pl.DataFrame({"age": ["2", None, "1", "3"], "why": [["b"], None, ["a"], ["c"]], "day": ["June"] * 4})
    assert joined(here, there) == 0.5  # the second and the one of whom nothing is known
    assert joined(here.select("day"), there) == 0


def test_a_series_goes_on_by_choice_and_says_who_gave_way_to_whom(desk: Desk, tmp_path: Path) -> None:
    def people(release_id: str, name: str) -> tuple[set[str], list[dict[str, str]], dict[str, Any]]:
        check(desk.wh, desk.at, release_id, RECIPIENT, ANN)
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
        build(desk.wh, replace(desk.at, operations=empty), load_set("partner_needs"), ANN)
    empty.close()
    assert desk.events()[-1] == ("ann", "release refused")


def test_a_person_who_opts_out_after_the_build_stops_the_release(desk: Desk) -> None:
    release_id = desk.built()
    opt_out(desk.wh, ["id00010"])
    with pytest.raises(ReleaseRefused, match="1 rows are of people on the national data opt-out list"):
        check(desk.wh, desk.at, release_id, RECIPIENT, ANN)
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
        check(desk.wh, desk.at, waiting, RECIPIENT, ANN)
    with pytest.raises(PurposeRefused, match="expired on 2027-12-31"):
        desk.published(release_id, tmp_path / "x.age")
    assert [event for _, event in desk.events()].count("purpose refused") == 3
