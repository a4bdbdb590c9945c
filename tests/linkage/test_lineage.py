"""From any id ever given to those that hold its records today."""

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest

from pipelines.linkage import homes, persons
from pipelines.linkage.lineage import Lineage, UnknownId, resolve
from pipelines.linkage.persons import LEDGER, MEMBERSHIP, PERSON, give_ids
from pipelines.warehouse import Warehouse, scratch_warehouse


@pytest.fixture
def wh() -> Iterator[Warehouse]:
    with scratch_warehouse() as opened:
        for table, columns in (
            (MEMBERSHIP, persons._MEMBERSHIP), (PERSON, persons._PERSON), (LEDGER, persons._LEDGER),
            (homes.HOUSEHOLD, homes._HOUSEHOLD), (homes.HOUSEHOLD_LEDGER, homes._LEDGER),
        ):  # fmt: skip
            opened.execute(f"CREATE TABLE {table} ({columns})")
        yield opened


def run(wh: Warehouse, name: str, groups: dict[str, int]) -> dict[str, str]:
    """One run in which these records (record -> group) are the persons of the view; returns their ids."""
    wh.run_id = name
    drawn = iter(range(10**6))
    now = pl.DataFrame(
        {"member": list(groups), "group_no": list(groups.values())}, schema={"member": pl.String, "group_no": pl.Int64}
    )
    last = wh.frame(f"SELECT record_id AS member, person_id AS id FROM {MEMBERSHIP}")
    given = give_ids(wh, now, last, lambda n: [f"p-{name}-{next(drawn)}" for _ in range(n)], LEDGER, "fraud")
    with wh.given(given.last):
        wh.execute(f"DELETE FROM {MEMBERSHIP} WHERE record_id IN (SELECT member FROM given)")
    with wh.given(given.ids):
        wh.execute(f"INSERT INTO {MEMBERSHIP} SELECT 'fraud', member, id FROM given")
    wh.execute(f"DELETE FROM {PERSON}")
    wh.execute(f"INSERT INTO {PERSON} SELECT DISTINCT 'fraud', person_id, 1, [], '', 'current' FROM {MEMBERSHIP}")
    return dict(wh.rows(f"SELECT record_id, person_id FROM {MEMBERSHIP}"))


def told(found: Lineage) -> tuple[tuple[str, ...], str, list[str]]:
    return found.current, found.since, [event.event for event in found.events]


def test_a_merged_id_leads_to_the_one_that_stayed_and_on(wh: Warehouse) -> None:
    first = run(wh, "r1", {"a": 0, "b": 0, "c": 1, "d": 2, "e": 2, "f": 2})
    run(wh, "r2", {"a": 0, "b": 0, "c": 0, "d": 2, "e": 2, "f": 2})
    assert told(resolve(wh, first["c"])) == ((first["a"],), "r2", ["created", "merged"])
    run(wh, "r3", dict.fromkeys("abcdef", 0))
    assert resolve(wh, first["c"]).current == (first["a"],)  # three of six: the tie goes by id
    assert resolve(wh, first["d"]).current == (first["a"],) and resolve(wh, first["d"]).since == "r3"
    assert "current, since run r1" in resolve(wh, first["a"]).said()[0]


def test_a_split_id_stays_with_the_larger_part_and_names_the_other(wh: Warehouse) -> None:
    first = run(wh, "r1", {"a": 0, "b": 0, "c": 0})
    second = run(wh, "r2", {"a": 0, "b": 0, "c": 1})
    found = resolve(wh, first["c"])
    assert found.current == (first["a"],) and found.parts == (second["c"],)
    assert told(resolve(wh, second["c"]))[:2] == ((second["c"],), "r2")


def test_a_retired_id_has_no_heir_until_its_records_come_back(wh: Warehouse) -> None:
    first = run(wh, "r1", {"a": 0, "b": 1})
    run(wh, "r2", {"b": 1})
    assert told(resolve(wh, first["a"])) == ((), "r2", ["created", "retired"])
    assert "its last record left in run r2" in resolve(wh, first["a"]).said()[0]
    third = run(wh, "r3", {"a": 0, "b": 1})
    found = resolve(wh, first["a"])
    assert third["a"] != first["a"] and found.current == (third["a"],) and found.came_back


def test_an_id_nobody_had_or_of_another_view_is_refused(wh: Warehouse) -> None:
    first = run(wh, "r1", {"a": 0})
    for identifier, view in (("p-never", None), (first["a"], "risk")):
        with pytest.raises(UnknownId):
            resolve(wh, identifier, view)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_id_ever_given_leads_to_its_records_of_today(wh: Warehouse, seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = {f"r{n:02}": int(rng.integers(0, 12)) for n in range(30)}
    held: dict[str, set[str]] = {}
    for turn in range(7):
        ids = run(wh, f"run{turn}", groups)
        held |= {
            identifier: {record for record, its in ids.items() if its == identifier} for identifier in ids.values()
        }
        for record in rng.choice(sorted(groups), 6, replace=False).tolist():
            groups[record] = int(rng.integers(0, 14))
        groups.pop(str(rng.choice(sorted(groups))))
        groups[f"n{turn}"] = int(rng.integers(0, 14))
    assert len(held) > len(set(ids.values()))
    for identifier, records in held.items():
        today = {ids[record] for record in records if record in ids}
        found = resolve(wh, identifier)
        assert (set(found.current) == {identifier}) if identifier in ids.values() else today <= set(found.current)
