"""Who looked at a person is found by every id that the person bears or bore, in every view."""

import pytest

from pipelines.governance.looks import names_of
from pipelines.keys.keyring import Keyring
from pipelines.keys.pseudonyms import record_name
from pipelines.warehouse import scratch_warehouse

KEYS = Keyring.ephemeral()


@pytest.mark.parametrize("asked", ["old", "mid", "new", "a", "f1"])
def test_ids_are_followed_both_ways_and_to_nobody_else(asked: str) -> None:
    with scratch_warehouse() as wh:
        wh.execute("ATTACH ':memory:' AS published")
        wh.execute("CREATE SCHEMA published.linkage")
        wh.execute(
            "CREATE TABLE published.linkage.membership AS FROM (VALUES ('risk', 'a', 'new'), ('risk', 'b', 'new'), "
            "('fraud', 'a', 'f1'), ('risk', 'c', 'other')) AS t(view, record_id, person_id)"
        )
        wh.execute(
            "CREATE TABLE published.linkage.ledger AS FROM (VALUES ('risk', 'merged', 'mid', 'old'), "
            "('risk', 'merged', 'new', 'mid'), ('risk', 'split', 'other', 'elder'), ('risk', 'created', 'x', NULL)) "
            "AS t(view, event, person_id, other_person_id)"
        )
        found = names_of(wh, KEYS, asked)
    assert found >= {"old", "mid", "new", "f1", record_name(KEYS, "a"), record_name(KEYS, "b")}
    assert not found & {"other", "elder", "x", record_name(KEYS, "c")}
