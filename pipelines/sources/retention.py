"""The retention sweep: what a source's retention has ended goes, from history, quarantine and archive.

An extract is kept for `retention_days` from its date; a row for as long as an extract that shows it. What must stay is
no value of a person: that an extract was once taken in (counts and hashes), and that a number in a slot was given.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract, Table
from pipelines.sources.given_numbers import keep_numbers, number_every_version
from pipelines.sources.history import redate_table, withdrawn
from pipelines.sources.intake import FAULT, INTAKE
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
        number_every_version(wh, contract, table)
    redate_table(wh, contract, table)
    if table.slot:
        keep_numbers(wh, contract, table)
    remains = f"SELECT row_hash FROM {dated}" if wh.exists(dated) else "SELECT NULL WHERE false"
    if wh.exists(withdrawn(contract, table)):
        remains += f" UNION ALL SELECT row_hash FROM {withdrawn(contract, table)}"
    wh.execute(f"DELETE FROM {seen} WHERE row_hash NOT IN ({remains})")
