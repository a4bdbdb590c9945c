"""Two small runs made by hand, and every difference between them."""

from datetime import date
from pathlib import Path

import pytest

from pipelines import warehouse
from pipelines.differences.comparing import Differences, Flags, Persons, Tiers, compare, published_run
from pipelines.differences.telling import sentences, tables
from pipelines.faults import BoroughlinkError
from pipelines.keys.keyring import Keyring
from pipelines.settings import DataFolder, Settings

KEYS, SETTINGS = Keyring.ephemeral(), Settings(clock=date(2026, 11, 1))
# record -> person; 100 records that nothing happens to make the groups large enough to be named
QUIET = {f"council_tax:{n}": f"q{n}" for n in range(100)}
BEFORE = {"housing:1": "a", "housing:2": "b", "housing:3": "c", "housing:4": "c", "housing:5": "d", "housing:6": "e"}
AFTER = {"housing:1": "a", "housing:2": "a", "housing:3": "c", "housing:4": "f", "housing:6": "e", "housing:7": "g"}
AFTER |= {"housing:8": "e"}


def lay(folder: DataFolder, run: str, links: dict[str, str], flags: dict[str, str], tiers: dict[str, str]) -> None:
    place = folder.published / run
    place.mkdir(parents=True)
    con = warehouse.connect(folder.temp, (place,), "500MB", 1)
    warehouse.attach(con, "published", place / "snapshot.duckdb", KEYS.key("published"))
    for schema in ("linkage", "people", "fraud"):
        con.execute(f"CREATE SCHEMA published.{schema}")
    con.execute("CREATE TABLE published.linkage.membership (view VARCHAR, record_id VARCHAR, person_id VARCHAR)")
    con.executemany("INSERT INTO published.linkage.membership VALUES ('fraud', ?, ?)", list(links.items()))
    con.execute(
        "CREATE TABLE published.people.record AS SELECT record_id, split_part(record_id, ':', 1) AS source, "
        "'F' AS sex, DATE '2000-01-01' AS birth_date, true AS is_person FROM published.linkage.membership"
    )
    con.execute("CREATE TABLE published.fraud.flagged_pair (flag_id VARCHAR, rule VARCHAR, strength VARCHAR)")
    con.executemany("INSERT INTO published.fraud.flagged_pair VALUES (?, 'deceased', ?)", list(flags.items()))
    warehouse.attach(con, "tiers", place / "tiers.duckdb", KEYS.key("attributes"))
    con.execute("CREATE TABLE tiers.risk.tier_of (person_id VARCHAR, tier VARCHAR)")
    con.executemany("INSERT INTO tiers.risk.tier_of VALUES (?, ?)", list(tiers.items()))
    con.close()


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder.at(tmp_path / "data").make()
    lay(made, "one", BEFORE | QUIET, {"x": "low", "y": "high"}, {"p1": "high", "p2": "lower"})
    lay(made, "two", AFTER | QUIET, {"y": "low", "z": "high"}, {"p1": "lower", "p3": "lower"})
    return made


def decided(number: int, kind: str, left: str, right: str) -> dict[str, object]:
    made = {"decision_id": number, "kind": kind, "made_at": "2026-10-01T10:00:00"}
    return made | {"record_l": f"housing:{left}", "record_r": f"housing:{right}"}


DECISIONS = [
    decided(1, "cannot_link", "1", "2"),  # now together
    decided(2, "must_link", "3", "4"),  # now apart
    decided(3, "cannot_link", "3", "4"),  # was together
    decided(4, "must_link", "1", "5"),  # one is gone, and was apart
    decided(5, "label", "1", "2"),
]


def differences(folder: DataFolder) -> Differences:
    runs = published_run(folder, "one"), published_run(folder, "two")
    return compare(folder, SETTINGS, KEYS, runs, DECISIONS)


def test_what_became_of_persons_is_counted(folder: DataFolder) -> None:
    (found,) = differences(folder).persons
    assert found == Persons(
        view="fraud", before=105, after=105, unchanged=100, merged=2, merged_into=1, split=1, split_into=2, created=1,
        retired=1, grown=1, shrunk=0, regrouped=4, shared=105,
    )  # fmt: skip


def test_decisions_flags_and_tiers(folder: DataFolder) -> None:
    found = differences(folder)
    told = {each.decision_id: (each.before, each.after) for each in found.contradicted}
    assert told == {1: (False, True), 2: (False, True), 3: (True, False), 4: (True, False)}
    assert found.flags == (Flags("deceased", before=2, after=2, appeared=1, vanished=1, restrengthened=1),)
    assert set(found.tiers) == {Tiers("high", "lower", 1), Tiers("lower", None, 1), Tiers(None, "lower", 1)}


def test_the_worst_group_is_one_large_enough_to_say_something(folder: DataFolder) -> None:
    found = differences(folder)
    worst = found.worst("fraud")
    assert worst is not None
    assert (worst.regrouped, worst.records) == (4, 105)  # all of housing was touched, but that is five records
    assert any(group.value == "housing" and group.share == pytest.approx(4 / 5) for group in found.groups)


def test_it_is_told_in_sentences_and_without_change_so(folder: DataFolder) -> None:
    text = "\n".join(sentences(differences(folder)))
    assert "2 merged into 1, 1 split into 2, 1 created, 1 retired, 1 gained new records; 100 unchanged" in text
    assert "newly contradicted: 2 of 4" in text
    assert {title for title, _, _ in tables(differences(folder))} >= {"Persons", "Flagged pairs", "Risk tiers"}
    run = published_run(folder, "one")
    assert "the very same records" in "\n".join(sentences(compare(folder, SETTINGS, KEYS, (run, run), [])))


def test_a_run_whose_snapshot_is_gone_is_said(folder: DataFolder) -> None:
    with pytest.raises(BoroughlinkError, match="last 3 published are kept, now one, two"):
        published_run(folder, "none")
    assert published_run(folder, None, newest=1).name == "one"
    with pytest.raises(BoroughlinkError, match="nothing to compare"):
        published_run(folder, None, newest=2)
