"""How a release ends: revoked, alone or with its series, or swept after its day."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.governance import approvals
from pipelines.governance.row_checks import first_bad_row
from pipelines.keys.sealed_texts import erased
from pipelines.releases.ending import revoke, sweep
from pipelines.releases.lifecycle import approve
from pipelines.releases.sealed import place_of
from pipelines.releases.sets import ReleaseRefused
from pipelines.releases.store import copies, find, holds_key
from pipelines.settings import Settings
from pipelines.store_tables import payload_table
from tests.releases.borough import TODAY
from tests.releases.desk import ANN, BOB, Desk


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
    for name in ("key", "seal"):
        assert kept[manifest[name]] == erased(desk.operations.keyring, manifest[name])
    with pytest.raises(ReleaseRefused, match="was revoked"):
        desk.published(release_id, tmp_path / "y.age")


def test_an_end_that_is_cut_off_is_no_end_and_can_be_made_again(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_id = desk.checked()
    approve(desk.operations, release_id, BOB)
    desk.published(release_id, tmp_path / "x.age")
    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr("pipelines.releases.ending.mark_copies", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        revoke(desk.operations, release_id, "the laptop was left on a train", BOB)
    assert find(desk.operations, release_id).state == "published"
    (taken,), marked = revoke(desk.operations, release_id, "the laptop was left on a train", BOB)
    assert (taken.state, marked) == ("revoked", 1) and first_bad_row(desk.operations) is None


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
    assert not holds_key(desk.operations, found[late]["key"])  # nobody may hold any of the series any more
    assert sweep(desk.folder, desk.operations, last_day + timedelta(days=30), "night") == []
    assert desk.events().count(("night", "release expired")) == 2
    with pytest.raises(ReleaseRefused, match="was to be deleted, and is"):
        desk.published(alone, tmp_path / "y.age")
