"""Who is erased is in no byte of the data folder and does not come back; everybody else keeps ids and decisions."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from linkage_models.models import pinned
from pipelines.custody.scanning import scan
from pipelines.erasure.subject import subject_of
from pipelines.governance import approvals
from pipelines.governance.actors import Actor
from pipelines.keys.keyring import ERASING, STANDING_KEYS, open_keyring
from pipelines.linkage.shelf import Shelf
from pipelines.operations import standing_store
from pipelines.releases.store import note_copy, update
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import open_snapshot
from pipelines.source_faults import report_fault
from pipelines.stewardship.zone import identity_zone
from tests.end_to_end.conftest import COMMAND, boroughlink

WHY = "the resident objected and nothing overrides it"
SHARED = ("council_tax", "housing", "benefits")  # whose rows several people share
NOTE = "QZNOTE spoke to the resident"


@dataclass(frozen=True)
class Place:
    """A borough with one person who is to be erased, what must not be found of them, and how others stand."""

    data: Path
    person: str
    records: tuple[str, ...]
    canaries: frozenset[str]
    members: frozenset[tuple[str, str, str]]
    release: str

    @property
    def folder(self) -> DataFolder:
        return DataFolder.at(self.data)


def members(folder: DataFolder) -> frozenset[tuple[str, str, str]]:
    with open_snapshot(folder) as (wh, _):
        return frozenset(wh.rows("SELECT view, record_id, person_id FROM published.linkage.membership"))


def decided(folder: DataFolder, records: tuple[str, ...]) -> list[tuple[object, ...]]:
    """Decisions about others, as they stand."""
    with standing_store(folder, ERASING) as operations:
        found = [(d["record_l"], d["record_r"], d["kind"], d["made_at"]) for d in operations.decisions()]
    return [row for row in found if not {row[0], row[1]} & set(records)]


def found_of(place: Place) -> dict[str, dict[str, int]]:
    keyring = open_keyring(place.folder, load_settings(place.folder), STANDING_KEYS)
    found = scan(place.data, sorted(place.canaries), (), patterns=False, keyring=keyring)
    assert not found.closed
    return {name: dict(kinds) for name, kinds in found.hits.items()}


@pytest.fixture
def place(borough, tmp_path) -> Place:
    """The borough with all that a person can be in: decisions, a fault, a past day, a model, releases."""
    data = borough.copy(tmp_path / "mine").data
    folder = DataFolder.at(data)
    shutil.copytree(folder.published, data / "as-of" / "2026-09-30")
    (release,) = (path.name for path in folder.releases.glob("*/*") if path.is_dir())
    with identity_zone(folder) as wh:
        held = "SELECT person_id, list(DISTINCT split_part(record_id, ':', 1)) AS held, list(record_id) AS records "
        held += "FROM identity.linkage.membership WHERE view = 'data_quality' GROUP BY person_id"
        everywhere = " AND ".join(f"list_contains(held, '{name}')" for name in SHARED)
        ((person, listed),) = wh.rows(
            f"SELECT person_id, records FROM ({held}) WHERE {everywhere} ORDER BY len(held) DESC, person_id LIMIT 1"
        )
        records = tuple(sorted(listed))
        canaries, terms = unique_values(wh, records), frozenset(subject_of(wh, records).terms)
        others = [r for (r,) in wh.rows("SELECT record_id FROM identity.people.record ORDER BY md5(record_id) LIMIT 4")]
        assert not set(others) & set(records)
    decide(data, tmp_path, records, others)
    with standing_store(folder, ERASING) as operations:
        report_fault(
            operations, source=records[0].partition(":")[0], record_id=records[0], column=None, kind="wrong_value",
            note=NOTE, by="ann",
        )  # fmt: skip
        note_copy(operations, release, "age1theirs", "handed.age", "0" * 64, Actor("ann"))
        update(operations, release, "published")
        model = pinned().with_terms({"forename": {"": 0.1, "ann": 0.2, **dict.fromkeys(terms, 0.2)}})
        trained = replace(model, card=model.card | {"trained_on": {"kind": "records", "sources": {}}})
        Shelf.of(folder, operations.keyring).save(trained, "ours")
    shipped = {name.lower() for held in pinned().terms.values() for name in held}  # which tell of nobody here
    told = {value for value in canaries | terms if value.lower() not in shipped}
    made = Place(data, person, records, frozenset({NOTE, *told}), members(folder), release)
    assert len(canaries) >= len(SHARED) * 2
    assert len(found_of(made)) > 8, "the search must find the person where they are"
    return made


def unique_values(wh, records: tuple[str, ...]) -> frozenset[str]:
    """Names, numbers and contacts that these records hold and no other does, and the ids of the records."""
    found = set(records)
    for table, columns in {
        "person_record": ("name_text", "surname", "forename", "nino", "nhs_number", "phone", "email", "source_key"),
        "identifier": ("number",),
    }.items():
        for column in columns:
            held = f"SELECT {column} FROM identity.facts.{table} WHERE {column} IS NOT NULL AND record_id"
            listed = "(SELECT unnest($1::VARCHAR[]))"
            rows = wh.rows(f"{held} IN {listed} EXCEPT {held} NOT IN {listed}", [list(records)])
            found.update(value for (value,) in rows if len(value) >= 7 and not re.fullmatch(r"[\d/]{1,8}", value))
    return frozenset(found)


def decide(data: Path, tmp_path: Path, records: tuple[str, ...], others: list[str]) -> None:
    rows = [(records[0], others[0]), (records[0], records[1]), (others[0], others[1]), (others[2], others[3])]
    file = tmp_path / "decisions.csv"
    said = [f"cannot_link,{left},{right},{NOTE if left in records else 'quite unlike'}" for left, right in rows]
    file.write_text("kind,record_l,record_r,reason\n" + "\n".join(said) + "\n")
    boroughlink("decisions", "import", file, "--data", data)


def act(place: Place, who: str, *arguments: object, fine: bool = True) -> subprocess.CompletedProcess[str]:
    return boroughlink("erase", *arguments, "--data", place.data, by=who, fine=fine)


def asked(place: Place) -> str:
    said = act(place, "ann", "request", place.person, "--basis", "objection", "--reason", WHY).stdout
    assert f"{len(place.records)} records" in said
    return re.search(r"request ([0-9a-f]{32})", said)[1]


def killed(place: Place, request: str, seconds: float) -> None:
    process = subprocess.Popen(
        [*COMMAND, "erase", "run", request, "--data", str(place.data)],
        env=os.environ | {"BOROUGHLINK_ACTOR": "ann", "BOROUGHLINK_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    time.sleep(seconds)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)


def nothing_is_left(place: Place, others: list[tuple[object, ...]]) -> None:
    assert found_of(place) == {}
    assert members(place.folder) == {row for row in place.members if row[1] not in place.records}
    assert decided(place.folder, place.records) == others
    assert "unbroken" in boroughlink("audit", "verify", "--data", place.data).stdout
    assert [path.name for path in place.folder.published.iterdir() if path.is_dir()] == [
        json.loads(place.folder.current.read_text())["published"]
    ]
    assert Shelf.of(place.folder, open_keyring(place.folder, load_settings(place.folder), ("archive",))).load("ours")


def erased_after_kills(place: Place, kills: int, landed: Path, tmp_path: Path) -> None:
    others = decided(place.folder, place.records)
    assert len(others) == 2
    request, rng = asked(place), random.Random(5)
    refused = act(place, "ann", "approve", request, fine=False)
    assert (refused.returncode, "another person must" in refused.stderr) == (1, True)
    assert act(place, "ann", "run", request, fine=False).returncode == 1  # nobody has approved
    act(place, "bob", "approve", request)
    for _ in range(kills):
        killed(place, request, rng.uniform(1.5, 12.0))
    with standing_store(place.folder, ERASING) as operations:
        over = approvals.find(operations, request).state == "done"
    if not over:
        said = act(place, "ann", "run", request).stdout
        assert place.release in said
        assert "Article 19" in said
    assert act(place, "ann", "run", request, fine=False).returncode == 1  # used already
    nothing_is_left(place, others)
    assert place.person in boroughlink("audit", "person", place.person, "--data", place.data).stdout
    # the same extracts come again, a day later
    landing = tmp_path / "landing"
    for source in SHARED:
        (delivery,) = (landed / "landing" / source).iterdir()
        to = landing / source / "2026-11-01"
        shutil.copytree(delivery, to)
        stated = json.loads((to / "manifest.json").read_text()) | {"extract_date": to.name, "confirmed": True}
        (to / "manifest.json").write_text(json.dumps(stated))
    boroughlink("run", "--data", place.data, "--landing", landing)
    assert found_of(place) == {}
    now = members(place.folder)
    assert now == {row for row in place.members if row[1] not in place.records}
    assert decided(place.folder, place.records) == others


def test_a_person_is_erased_everywhere_and_does_not_come_back(place, landed, tmp_path):
    erased_after_kills(place, 1, landed, tmp_path)


@pytest.mark.prove
def test_a_person_is_erased_whatever_kills_it(place, landed, tmp_path):
    erased_after_kills(place, 12, landed, tmp_path)
