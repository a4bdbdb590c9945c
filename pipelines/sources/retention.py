"""The retention sweep: what a source's retention has ended goes, from history, quarantine and archive.

An extract is kept for `retention_days` from its date; a row for as long as an extract that shows it. What must stay is
no value of a person: that an extract was once taken in (counts and hashes), and that a number in a slot was given.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract, Table
from pipelines.sources.history import redate_table, withdrawn
from pipelines.sources.intake import FAULT, INTAKE
from pipelines.sources.slots import number_occupants
from pipelines.warehouse import Warehouse

EXPIRED = "expired"


@dataclass(frozen=True)
class Due:
    """What has outlived the retention of one source: extracts, rows that only they show, faults, archived files."""

    source: str
    before: date
    deliveries: tuple[int, ...]
    rows: int
    faults: int
    files: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.deliveries or self.rows or self.faults or self.files)


def due(wh: Warehouse, contract: Contract, archive: Archive) -> Due:
    """What would go on the day of the warehouse; also the proof that nothing is left, once it has gone."""
    cutoff = wh.as_of - timedelta(days=contract.retention_days)
    if not wh.exists(INTAKE):
        return Due(contract.name, cutoff, (), 0, 0, ())
    if any(table.changes for table in contract.tables):
        cutoff = min(cutoff, _last_full(wh, contract) or cutoff)
    old = [contract.name, cutoff]
    deliveries = wh.rows(
        f"SELECT DISTINCT delivery FROM {INTAKE} WHERE source = ? AND extract_date < ? AND state <> '{EXPIRED}' "
        "ORDER BY delivery",
        old,
    )
    rows = 0
    for table in contract.tables:
        if wh.exists(contract.staged(table.name)):
            rows += int(
                wh.scalar(f"SELECT count(*) FROM {contract.staged(table.name)} WHERE extract_date < ?", [cutoff])
            )
    faults = int(wh.scalar(f"SELECT count(*) FROM {FAULT} WHERE source = ? AND extract_date < ?", old))
    files = wh.rows(
        f"""-- one row per file that no extract still within retention consists of, of any source
        SELECT DISTINCT sha256 FROM {INTAKE} WHERE source = ? AND extract_date < ? AND sha256 IS NOT NULL
        AND sha256 NOT IN (SELECT sha256 FROM {INTAKE} WHERE sha256 IS NOT NULL AND state <> '{EXPIRED}'
                           AND NOT (source = ? AND extract_date < ?)) ORDER BY 1""",
        [*old, *old],
    )
    held = tuple(sha256 for (sha256,) in files if archive.holds(sha256))
    return Due(contract.name, cutoff, tuple(row[0] for row in deliveries), rows, faults, held)


def _last_full(wh: Warehouse, contract: Contract) -> date | None:
    """The newest full extract: what came as changes since rests on it."""
    found = wh.rows(
        f"SELECT max(extract_date) FROM {INTAKE} WHERE source = ? AND state = 'accepted' AND supply = 'full'",
        [contract.name],
    )
    return found[0][0] if found else None


def sweep(wh: Warehouse, contract: Contract, found: Due) -> None:
    """Remove from the warehouse what `due` found; the caller removes the files once that has become real."""
    of_old = "delivery IN (SELECT unnest(?::INTEGER[]))"
    wh.execute(f"DELETE FROM {FAULT} WHERE source = ? AND extract_date < ?", [contract.name, found.before])
    wh.execute(
        f"UPDATE {INTAKE} SET state = '{EXPIRED}', reason = ? WHERE {of_old}",
        [f"kept for {contract.retention_days} days, as its contract says", list(found.deliveries)],
    )
    for table in contract.tables:
        if wh.exists(contract.staged(table.name)):
            _sweep_table(wh, contract, table)


def left_over(wh: Warehouse, contracts: Iterable[Contract], archive: Archive) -> list[Due]:
    """Scan all again: what has outlived its retention and still is there. Empty is the proof."""
    return [found for contract in contracts if (found := due(wh, contract, archive))]


def _sweep_table(wh: Warehouse, contract: Contract, table: Table) -> None:
    """Build the dated table anew from the extracts that remain; forget the hashes of rows that went."""
    dated, seen = contract.staged(table.name), f"{contract.staged(table.name)}__seen"
    if table.slot:
        _number_every_version(wh, contract, table)
    redate_table(wh, contract, table)
    if table.slot:
        _keep_numbers(wh, contract, table)
    remains = f"SELECT row_hash FROM {dated}" if wh.exists(dated) else "SELECT NULL WHERE false"
    if wh.exists(withdrawn(contract, table)):
        remains += f" UNION ALL SELECT row_hash FROM {withdrawn(contract, table)}"
    wh.execute(f"DELETE FROM {seen} WHERE row_hash NOT IN ({remains})")


def _number_every_version(wh: Warehouse, contract: Contract, table: Table) -> None:
    """temp.version: the occupant of each distinct row that is held, and the delivery by which the occupant came."""
    assert table.slot
    dated, gone = contract.staged(table.name), withdrawn(contract, table)
    said = ", ".join(_said(table))
    ever = f"(SELECT DISTINCT ON (row_hash) {said}, row_hash FROM {dated}"
    ever += f" UNION ALL BY NAME FROM {gone})" if wh.exists(gone) else ")"
    numbered = number_occupants(wh, f"{dated}__seen", ever, ever, table.slot)
    wh.execute(
        f"""-- one row per distinct row of a slot
        CREATE OR REPLACE TEMP TABLE version AS
        SELECT {said}, n.row_hash, n.occupant, n._slot, min(s.delivery) OVER (PARTITION BY n._slot, n.occupant) AS came
        FROM ({numbered}) n JOIN (SELECT row_hash, min(delivery) AS delivery FROM {dated}__seen GROUP BY ALL) s
        USING (row_hash)"""
    )
    wh.execute("DROP TABLE IF EXISTS temp.occupant")


def _keep_numbers(wh: Warehouse, contract: Contract, table: Table) -> None:
    """An occupant's number outlives the occupant, or the next one would inherit the record: the slot's key stays with a
    sign in the place of the name. Whoever remains keeps the arrival that the number came from."""
    assert table.slot
    dated, seen, gone = contract.staged(table.name), f"{contract.staged(table.name)}__seen", withdrawn(contract, table)
    here = f"SELECT row_hash FROM {dated}" if wh.exists(dated) else "SELECT NULL::UBIGINT WHERE false"
    held = f"SELECT row_hash FROM {seen} SEMI JOIN (FROM {INTAKE} WHERE state <> '{EXPIRED}') i USING (delivery)"
    corrected = f"SELECT * FROM {gone} WHERE row_hash IN ({held})" if wh.exists(gone) else ""
    if corrected:
        here += f" UNION ALL SELECT row_hash FROM ({corrected})"
    wh.execute(
        f"""-- one row per occupant: the row that now stands for it
        CREATE OR REPLACE TEMP TABLE standing AS
        SELECT _slot, occupant, any_value(came) AS came, count(*) FILTER (row_hash IN ({here})) > 0 AS remains,
               coalesce(min(row_hash) FILTER (row_hash IN ({here})), min(row_hash)) AS row_hash
        FROM temp.version GROUP BY _slot, occupant"""
    )
    wh.execute(f"INSERT INTO {seen} SELECT came, row_hash FROM temp.standing ANTI JOIN {seen} x "
               "ON x.delivery = came AND x.row_hash = standing.row_hash")  # fmt: skip
    blank = dict.fromkeys(_said(table), "NULL") | {name: name for name in table.slot.key}
    blank[table.slot.name[0]] = "chr(32 + standing.occupant)"  # one byte each, so that no two are alike
    columns = ", ".join(f"{blank[name]} AS {name}" for name in _said(table))
    wh.execute(
        f"""-- one row per occupant of whom no value remains
        CREATE OR REPLACE TABLE {gone} AS
        SELECT {columns}, standing.row_hash
        FROM temp.standing JOIN temp.version USING (row_hash) WHERE NOT remains
        {"UNION ALL BY NAME " + corrected if corrected else ""}"""
    )
    wh.execute("DROP TABLE temp.standing")
    wh.execute("DROP TABLE temp.version")


def _said(table: Table) -> list[str]:
    """The columns that say whose slot it was."""
    assert table.slot
    born = [table.slot.birth_date] if table.slot.birth_date else []
    return list(dict.fromkeys([*table.slot.key, *table.slot.name, *born]))
