"""Takes the records of a person out of a source's history, quarantine and archive, and keeps them from coming back.

What stays is a keyed hash of each erased key with its birth date or name (`identity.meta.suppressed`): the next
extract's row of the same person is dropped at intake, while the next tenant of a reused slot comes in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract, Slot, Table
from pipelines.sources.history import withdrawn
from pipelines.sources.intake import FAULT, INTAKE
from pipelines.sources.slots import number_occupants
from pipelines.sources.suppression import SUPPRESSED, Key, mac_of, take_out, told_apart
from pipelines.warehouse import Warehouse


@dataclass(frozen=True)
class Erased:
    """Rows that went, by table; the keys by which they are found in files; tables whose rows occupants share."""

    rows: dict[str, int]
    keys: dict[str, frozenset[Key]]
    shared: tuple[str, ...] = ()


def erase(wh: Warehouse, contract: Contract, record_ids: Iterable[str], key: bytes) -> Erased:
    """Remove every row of these records from a source's tables in the warehouse, and suppress their return."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {SUPPRESSED} (source VARCHAR, table_name VARCHAR, mac VARCHAR)")
    rows: dict[str, int] = {}
    keys: dict[str, frozenset[Key]] = {}
    shared: set[str] = set()
    wanted = {place for record in record_ids if (place := _place(contract, record))}
    for table in contract.tables:
        if not table.slot or not wh.exists(contract.staged(table.name)):
            continue
        hashes, held, alone = _versions(wh, contract, table, table.slot, wanted)
        if not held:
            continue
        macs = {mac_of(key, contract.name, table.name, of, told) for of, told in held}
        rows[table.name], keys[table.name] = _drop(wh, contract, table, hashes), frozenset(of for of, _ in held)
        _set_aside_goes(wh, contract, table, table.slot.key, keys[table.name])
        _suppress(wh, contract, table.name, macs)
        for other in contract.tables:
            if other is table or other.slot or not set(table.slot.key) <= set(other.staged_columns):
                continue
            if alone:
                rows[other.name] = _drop_by_key(wh, contract, other, table.slot.key, alone)
                keys[other.name] = frozenset(alone)
                _set_aside_goes(wh, contract, other, table.slot.key, frozenset(alone))
                _suppress(wh, contract, other.name, {mac_of(key, contract.name, other.name, of, "") for of in alone})
            if keys[table.name] - alone:
                shared.add(other.name)
    return Erased(rows, keys, tuple(sorted(shared)))


def erase_archived(wh: Warehouse, contract: Contract, archive: Archive, erased: Erased) -> tuple[int, int]:
    """Write archived CSV files anew without the erased keys, and remove files of other forms whole: (rewritten,
    removed). A file keeps its name, the hash of what came."""
    done = []
    for name, keys in erased.keys.items():
        files = wh.rows(
            f"SELECT DISTINCT sha256 FROM {INTAKE} WHERE source = ? AND table_name = ? AND sha256 IS NOT NULL",
            [contract.name, name],
        )
        held = (sha256 for (sha256,) in files if archive.holds(sha256))
        done += [take_out(archive, sha256, contract, contract.table(name), keys) for sha256 in held]
    return done.count("rewritten"), done.count("removed")


def _place(contract: Contract, record_id: str) -> tuple[str, int] | None:
    """The slot and occupant that a record id of the source names."""
    source, _, rest = record_id.partition(":")
    slot, _, occupant = rest.rpartition("#")
    if source != contract.name or not occupant.isdigit():
        return None
    head, _, tail = slot.partition("/")
    return (tail if tail and head.isalpha() else slot), int(occupant)


def _versions(
    wh: Warehouse, contract: Contract, table: Table, slot: Slot, wanted: set[tuple[str, int]]
) -> tuple[list[int], set[tuple[Key, str]], set[Key]]:
    """Row hashes of the wanted occupants, their keys with what tells them apart, and the keys that nobody else had."""
    dated, gone = contract.staged(table.name), withdrawn(contract, table)
    said = ", ".join(
        dict.fromkeys([*slot.key, *slot.name, *([slot.birth_date] if slot.birth_date else []), "row_hash"])
    )
    ever = f"(SELECT DISTINCT ON (row_hash) {said} FROM {dated}"
    ever += f" UNION ALL BY NAME SELECT {said} FROM {gone})" if wh.exists(gone) else ")"
    numbered = number_occupants(wh, f"{dated}__seen", ever, ever, slot)
    key = ", ".join(f"{name}::VARCHAR" for name in slot.key)
    found = wh.rows(f"SELECT _slot, occupant, row_hash, {told_apart(slot)}, {key} FROM ({numbered})")
    wh.execute("DROP TABLE IF EXISTS temp.occupant")
    mine = [row for row in found if (row[0], row[1]) in wanted]
    others = {row[0] for row in found if (row[0], row[1]) not in wanted}
    return (
        [row[2] for row in mine],
        {(tuple(row[4:]), row[3]) for row in mine},
        {tuple(row[4:]) for row in mine if row[0] not in others},
    )


def _drop(wh: Warehouse, contract: Contract, table: Table, hashes: Sequence[int]) -> int:
    dated = contract.staged(table.name)
    listed = "row_hash IN (SELECT unnest(?::UBIGINT[]))"
    count = int(wh.scalar(f"SELECT count(*) FROM {dated} WHERE {listed}", [hashes]))
    for name in (dated, f"{dated}__seen", withdrawn(contract, table)):
        if wh.exists(name):
            wh.execute(f"DELETE FROM {name} WHERE {listed}", [hashes])
    return count


def _drop_by_key(wh: Warehouse, contract: Contract, table: Table, by: Sequence[str], keys: Iterable[Key]) -> int:
    dated = contract.staged(table.name)
    if not wh.exists(dated):
        return 0
    matching = " OR ".join(["(" + " AND ".join(f"{name}::VARCHAR = ?" for name in by) + ")"] * len(list(keys)))
    flat = [part for key in keys for part in key]
    hashes = [row[0] for row in wh.rows(f"SELECT row_hash FROM {dated} WHERE {matching}", flat)]
    return _drop(wh, contract, table, hashes)


def _set_aside_goes(wh: Warehouse, contract: Contract, table: Table, by: Sequence[str], keys: Iterable[Key]) -> None:
    """Faults of these keys go: rows that were set aside, whose whole text is kept."""
    for key in keys:
        same = " AND ".join(f"json_extract_string(row_text, '$.{name}') = ?" for name in by)
        wh.execute(
            f"DELETE FROM {FAULT} WHERE source = ? AND table_name = ? "
            f"AND CASE WHEN json_valid(row_text) THEN {same} END",
            [contract.name, table.name, *key],
        )


def _suppress(wh: Warehouse, contract: Contract, table: str, macs: Iterable[str]) -> None:
    wh.execute(
        f"INSERT INTO {SUPPRESSED} SELECT ?, ?, mac FROM (SELECT unnest(?::VARCHAR[]) AS mac) ANTI JOIN {SUPPRESSED} "
        "USING (mac)",
        [contract.name, table, sorted(macs)],
    )
