"""Slots that only erased people held: nothing stays of them but a keyed hash and how many numbers were given in each,
so that a newcomer takes the next number and never an erased person's record id."""

import secrets
from collections.abc import Collection, Mapping

from pipelines.sources.contracts import Contract, Table
from pipelines.sources.history import withdrawn
from pipelines.sources.slots import NOBODY, said_of
from pipelines.sources.suppression import Suppressed
from pipelines.warehouse import Warehouse

EMPTIED = "identity.meta.emptied_slot"
_TOLD = "numbers"


def empty_slots(
    wh: Warehouse,
    contract: Contract,
    table: Table,
    slots: Mapping[tuple[str, ...], int],
    suppressed: Suppressed,
) -> None:
    """Forget the keys of slots that nobody else has ever held: each with the numbers that were given in it."""
    assert table.slot
    gone, seen = withdrawn(contract, table), f"{contract.staged(table.name)}__seen"
    wh.execute(f"CREATE TABLE IF NOT EXISTS {EMPTIED} (source VARCHAR, table_name VARCHAR, mac VARCHAR, given INTEGER)")
    same = " AND ".join(f"{name}::VARCHAR = ?" for name in table.slot.key)
    for key, given in slots.items():
        hashes = [row[0] for row in wh.rows(f"DELETE FROM {gone} WHERE {same} RETURNING row_hash", list(key))]
        wh.execute(f"DELETE FROM {seen} WHERE row_hash IN (SELECT unnest(?::UBIGINT[]))", [hashes])
        mac = suppressed.mac(table.name, table.slot.key, key, _TOLD)
        wh.execute(f"INSERT INTO {EMPTIED} VALUES (?, ?, ?, ?)", [contract.name, table.name, mac, given])


def number_newcomers(wh: Warehouse, contract: Contract, names: Collection[str], suppressed: Suppressed) -> None:
    """Where an extract at the gate brings somebody into an emptied slot, put rows of nobody before them that hold the
    numbers given there."""
    if not wh.exists(EMPTIED):
        return
    for table in (contract.table(name) for name in names):
        known = dict(
            wh.rows(
                f"SELECT mac, given FROM {EMPTIED} WHERE source = ? AND table_name = ?", [contract.name, table.name]
            )
        )
        candidate = contract.candidate(table.name)
        if not table.slot or not known or not wh.exists(candidate):
            continue
        listed = ", ".join(f"{name}::VARCHAR" for name in table.slot.key)
        for key in wh.rows(f"SELECT DISTINCT {listed} FROM {candidate}"):
            mac = suppressed.mac(table.name, table.slot.key, key, _TOLD)
            if mac in known:
                _hold_numbers(wh, contract, table, key, known[mac])
                wh.execute(f"DELETE FROM {EMPTIED} WHERE mac = ?", [mac])


def _hold_numbers(wh: Warehouse, contract: Contract, table: Table, key: tuple[str, ...], given: int) -> None:
    assert table.slot
    gone, seen, candidate = (
        withdrawn(contract, table), f"{contract.staged(table.name)}__seen", contract.candidate(table.name)
    )  # fmt: skip
    said = said_of(table)
    listed = ", ".join(said)
    wh.execute(
        f"CREATE TABLE IF NOT EXISTS {gone} AS SELECT {listed}, NULL::UBIGINT AS row_hash FROM {candidate} LIMIT 0"
    )
    wh.execute(f"CREATE TABLE IF NOT EXISTS {seen} (delivery INTEGER, row_hash UBIGINT)")
    nobody = dict.fromkeys(said, "NULL") | dict.fromkeys(table.slot.key, "?") | {table.slot.name[0]: NOBODY}
    values = ", ".join(nobody[name] for name in said)
    by_name = dict(zip(table.slot.key, key, strict=True))
    for number in range(1, given + 1):
        # a delivery of its own for each, before all others: who was never shown together is never taken for one person
        stands = secrets.randbits(63)
        wh.execute(
            f"INSERT INTO {gone} SELECT {values.replace('occupant', str(number))}, ?",
            [*(by_name[name] for name in said if name in by_name), stands],
        )
        wh.execute(f"INSERT INTO {seen} VALUES (?, ?)", [number - given - 1, stands])
