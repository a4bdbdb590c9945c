"""Nobody is named without a second person, beyond the cap, to another reader, or for longer than the days."""

import json
import os
import secrets
import shutil

import pyrage
import pytest

from pipelines.custody import reidentification as reid
from pipelines.custody.asking import answered
from pipelines.custody.auditing import looks_at
from pipelines.faults import BoroughlinkError, Refusal
from pipelines.governance import actors, revealed
from pipelines.governance.approvals import ApprovalRefused
from pipelines.keys.keyring import STANDING_KEYS
from pipelines.keys.pseudonyms import pseudonym
from pipelines.operations import standing_store
from pipelines.releases.store import keep_key
from pipelines.settings import DataFolder
from pipelines.snapshots import open_snapshot
from tests.review_app import town

WHY, BASIS = "the child's social worker must be told", "Children Act 1989 section 47"
KEY = pyrage.x25519.Identity.generate()


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    folder, _ = town.found(tmp_path_factory.mktemp("town") / "data", people=120)
    return folder


@pytest.fixture
def place(founded, tmp_path, monkeypatch):
    """The town, a release of it, and the pseudonyms of its people."""
    shutil.copytree(founded.root, tmp_path / "data")
    folder, key = DataFolder.at(tmp_path / "data"), secrets.token_bytes(32)
    with standing_store(folder, STANDING_KEYS) as store:
        store.add_release(
            release_id="r1", run_id="x", purpose="risk", recipient="y", state="published", row_count=1,
            expires="2027-01-01", manifest=json.dumps({"key": keep_key(store, key)}),
        )  # fmt: skip
    with open_snapshot(folder) as (wh, _):
        people = [row[0] for row in wh.rows("SELECT DISTINCT person_id FROM published.linkage.membership ORDER BY 1")]
    monkeypatch.setenv(actors.PLAYED, "ann")
    return folder, dict(zip(pseudonym(key, "person", people), people, strict=True))


def asked(folder, wanted):
    return reid.ask(folder, "r1", wanted, BASIS, WHY).split("request ")[1].split(".")[0]


def test_two_people_name_the_people_of_a_request_for_one_reader(place, monkeypatch):
    folder, known = place
    wanted = sorted(known)[:3]
    request = asked(folder, wanted)
    with pytest.raises(ApprovalRefused, match="nobody has approved"):
        reid.reveal(folder, request, str(KEY.to_public()))
    with pytest.raises(ApprovalRefused, match="another person"):
        answered(folder, request, yes=True, kind=reid.KIND)
    monkeypatch.setenv(actors.PLAYED, "bob")
    answered(folder, request, yes=True, kind=reid.KIND)
    reid.reveal(folder, request, str(KEY.to_public()))
    (path,) = (folder.root / revealed.FOLDER).iterdir()
    assert path.stat().st_mode & 0o077 == 0
    answer = json.loads(pyrage.decrypt(path.read_bytes(), [KEY]))
    assert {one: told["person_id"] for one, told in answer["people"].items()} == {one: known[one] for one in wanted}
    assert all(told["records"][0]["surname"] for told in answer["people"].values())
    assert answer["people"][wanted[0]]["records"][0]["surname"].encode() not in path.read_bytes()
    assert "re-identification done" in {row[3] for row in looks_at(folder, known[wanted[0]]).tables[0][2]}
    with pytest.raises(ApprovalRefused, match="used already"):
        reid.reveal(folder, request, str(KEY.to_public()))
    eight_days = path.stat().st_mtime - 8 * 86400
    assert revealed.sweep(folder) == 0
    os.utime(path, (eight_days, eight_days))
    assert revealed.sweep(folder) == 1
    assert not path.exists()


def test_what_is_too_much_or_nobody_is_refused(place):
    folder, known = place
    with pytest.raises(Refusal, match="1 to 50"):
        asked(folder, sorted(known)[:51])
    with pytest.raises(BoroughlinkError, match="no pseudonym"):
        asked(folder, ["Mrs Jones"])
    with pytest.raises(BoroughlinkError, match="no release"):
        reid.ask(folder, "r2", sorted(known)[:1], BASIS, WHY)
    with pytest.raises(BoroughlinkError, match="basis"):
        reid.ask(folder, "r1", sorted(known)[:1], "x", WHY)


def test_anothers_pseudonyms_name_nobody(place, monkeypatch):
    folder, known = place
    request = asked(folder, pseudonym(b"o" * 32, "person", list(known.values())[:2]))
    monkeypatch.setenv(actors.PLAYED, "bob")
    answered(folder, request, yes=True)
    assert reid.reveal(folder, request, str(KEY.to_public())).startswith("0 of 2")
