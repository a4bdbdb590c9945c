"""Takes deliveries in: whole or not at all, each once, through the quality gate, into the dated history.

`read` makes candidate tables in memory, the gate judges them, `promote` puts them into the history in one transaction.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

from pipelines.sources.archive import Archive
from pipelines.sources.contracts import Contract
from pipelines.sources.drift import LayoutRefused
from pipelines.sources.emptied_slots import number_newcomers
from pipelines.sources.file_faults import FileRefused, Inspected
from pipelines.sources.history import promote_table
from pipelines.sources.keeping_out import cleanse_delivery, without_erased
from pipelines.sources.landing import MANIFEST, Delivery, NotYet, dated, delivery_folders, open_delivery
from pipelines.sources.reading import RawTable, read_file
from pipelines.sources.staging import FAULT_COLUMNS, FAULTS, CandidateTable, note_drift, stage, start_faults
from pipelines.sources.suppression import Suppressed
from pipelines.warehouse import Warehouse

INTAKE = "identity.meta.intake"
FAULT = "identity.staged.fault"
_INTAKE_COLUMNS = """delivery INTEGER, source VARCHAR, extract_date DATE, file VARCHAR, table_name VARCHAR,
    sha256 VARCHAR, bytes BIGINT, rows BIGINT, set_aside BIGINT, value_faults BIGINT, state VARCHAR, reason VARCHAR,
    run_id VARCHAR, synthetic BOOLEAN, supply VARCHAR"""


@dataclass(frozen=True)
class Candidate:
    """A delivery at the gate: its typed tables, and how many rows each had in the last accepted extract."""

    contract: Contract
    extract_date: date
    delivery: int
    tables: Mapping[str, CandidateTable]
    previous: Mapping[str, int | None]


@dataclass(frozen=True)
class Verdict:
    """What the gate says; `reason` in plain words, counts only. `broken`: a check of ours failed, not the data."""

    accept: bool
    reason: str | None = None
    broken: bool = False


Gate = Callable[[Candidate], Verdict]


@dataclass(frozen=True)
class Intake:
    """What became of one delivery. `reason` says why it was refused, skipped, not judged or waits; `hashes` are its
    files."""

    source: str
    folder: Path
    state: Literal["accepted", "refused", "unjudged", "skipped", "waiting"]
    extract_date: date | None = None
    delivery: int | None = None
    rows: Mapping[str, int] | None = None
    set_aside: int = 0
    value_faults: int = 0
    synthetic: bool = False
    reason: str | None = None
    notes: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def total_rows(self) -> int:
        return sum((self.rows or {}).values())


def accept_all(candidate: Candidate) -> Verdict:
    """The gate that lets everything through."""
    return Verdict(accept=True)


def make_intake_tables(wh: Warehouse) -> None:
    """The tables that intake writes beside the staged ones, if they aren't there yet."""
    wh.execute(f"CREATE TABLE IF NOT EXISTS {INTAKE} ({_INTAKE_COLUMNS})")
    wh.execute(f"ALTER TABLE {INTAKE} ADD COLUMN IF NOT EXISTS supply VARCHAR DEFAULT 'full'")  # of an earlier version
    wh.execute(f"CREATE TABLE IF NOT EXISTS {FAULT} ({FAULT_COLUMNS})")
    wh.execute(
        f"""-- one row per fault, without any value: what reading commands and reports may show
        CREATE VIEW IF NOT EXISTS identity.meta.fault AS
        SELECT * EXCLUDE (value, row_text), CASE WHEN kind = 'layout' THEN value END AS found FROM {FAULT}"""
    )


def take_in(
    wh: Warehouse,
    contract: Contract,
    landing: Path,
    archive: Archive | None,
    gate: Gate = accept_all,
    suppression: bytes | None = None,
) -> list[Intake]:
    """Take in every delivery of one source that isn't in yet, oldest first; say what became of each.

    With the key of `suppression`, the rows of erased people stay out of history and archive.

    A delivery that is refused changes nothing but the record of its refusal. WarehouseError (disk, memory) passes.
    """
    make_intake_tables(wh)
    try:
        folders = delivery_folders(contract, landing)
    except FileRefused as refusal:
        return [Intake(contract.name, landing / contract.name, "refused", reason=str(refusal))]
    except OSError as fault:
        return [Intake(contract.name, landing / contract.name, "refused", reason=_unreadable(contract.name, fault))]
    return [_take_in_one(wh, contract, folder, archive, gate, suppression) for folder in folders]


def _take_in_one(
    wh: Warehouse, contract: Contract, folder: Path, archive: Archive | None, gate: Gate, suppression: bytes | None
) -> Intake:
    try:
        delivery = open_delivery(contract, folder, wh.as_of)
    except NotYet as wait:
        return Intake(contract.name, folder, "waiting", reason=str(wait))
    except FileRefused as refusal:
        return _refuse(wh, contract, folder, None, str(refusal))
    except OSError as fault:
        return _refuse(wh, contract, folder, None, _unreadable(f"{contract.name}/{folder.name}", fault))
    outcome = Intake(
        contract.name,
        folder,
        "skipped",
        delivery.extract_date,
        synthetic=bool(delivery.manifest and delivery.manifest.synthetic),
        notes=delivery.notes,
        hashes=tuple(sorted(delivery.fingerprint)),
        files=tuple(file.path for file, _ in delivery.files),
    )
    if _already_in(wh, delivery):
        return replace(outcome, reason="already taken in")
    if not delivery.confirmed and (twin := _older_twin(wh, delivery)):
        said = (
            f"holds, byte for byte, the extract of {twin}, and another came in since; was the wrong one sent? If it is "
        )
        said += f'meant so, state "confirmed": true in {MANIFEST}'
        return _refuse(wh, contract, folder, delivery, f"{contract.name}/{folder.name}: {said}.")
    number = _next_delivery(wh)
    with ThreadPoolExecutor(max_workers=1) as beside:
        stored = beside.submit(_store, archive, delivery)
        try:
            tables = read(wh, delivery, number)
            suppressed = Suppressed(wh, contract, suppression) if suppression else None
            tables, erased = without_erased(wh, delivery.contract, tables, suppressed)
            break_announced = delivery.confirmed or delivery.supply == "changes"
            known = {} if break_announced else _previous(wh, contract, delivery.extract_date)
            previous = {name: known.get(name) for name in tables}
            candidate = Candidate(delivery.contract, delivery.extract_date, number, tables, previous)
            verdict = gate(candidate)
            stored.result()
        except FileRefused as refusal:
            _unstore(archive, stored)
            return _refuse(wh, contract, folder, delivery, str(refusal))
    if not verdict.accept:
        _unstore(archive, stored)
        said = verdict.reason or "the quality gate refused it"
        state: Literal["refused", "unjudged"] = "unjudged" if verdict.broken else "refused"
        return _refuse(wh, contract, folder, delivery, said, tables, state)
    if suppressed:
        number_newcomers(wh, delivery.contract, list(tables), suppressed)
        if archive is not None:
            cleanse_delivery(wh, delivery, archive, erased, suppressed)
    replaced = promote(wh, contract, delivery, number, tables)
    return replace(
        outcome,
        state="accepted",
        delivery=number,
        rows={name: table.rows for name, table in tables.items()},
        set_aside=sum(table.set_aside for table in tables.values()),
        value_faults=sum(sum(table.value_faults.values()) for table in tables.values()),
        notes=delivery.notes + tuple(note for table in tables.values() for note in table.notes) + replaced,
    )


def read(wh: Warehouse, delivery: Delivery, number: int) -> dict[str, CandidateTable]:
    """Typed candidate tables of a delivery; what is set aside stands in `memory.incoming.fault`. Raises FileRefused."""
    start_faults(wh)
    tables, contract = {}, delivery.contract
    try:
        for file, held in delivery.files:
            found = read_file(wh, contract, file, held)
            _count(delivery, file, found)
            for raw in found:
                tables[raw.table.name] = stage(wh, contract, raw, delivery.extract_date)
    except LayoutRefused as refusal:
        note_drift(wh, refusal.file, refusal.table, refusal.drift, refusal.line or 1)
        raise
    finally:
        wh.execute(
            f"UPDATE {FAULTS} SET source = ?, delivery = ?, extract_date = ?, run_id = ?",
            [contract.name, number, delivery.extract_date, wh.run_id],
        )
    return {table.name: tables[table.name] for table in contract.tables}


def _count(delivery: Delivery, file: Inspected, found: list[RawTable]) -> None:
    """Refuse a file that doesn't hold as many rows as its manifest says."""
    held = sum(raw.rows + len(raw.broken) for raw in found)
    announced = delivery.rows_announced(file)
    if announced is not None and announced != held:
        raise FileRefused(file.name, f"holds {held} rows, but {MANIFEST} says {announced}; ask for it again")


def promote(
    wh: Warehouse, contract: Contract, delivery: Delivery, number: int, tables: Mapping[str, CandidateTable]
) -> tuple[str, ...]:
    """Put a delivery's candidate tables into the history, in one transaction; say what it supersedes."""
    day = delivery.extract_date
    wh.execute("BEGIN TRANSACTION")
    try:
        _forget_refusals(wh, contract, day)
        earlier = wh.rows(
            f"SELECT DISTINCT delivery FROM {INTAKE} WHERE source = ? AND extract_date = ? AND state = 'accepted'",
            [contract.name, day],
        )
        wh.execute(
            f"UPDATE {INTAKE} SET state = 'superseded', reason = 'corrected by delivery ' || ? "
            "WHERE source = ? AND extract_date = ? AND state = 'accepted'",
            [number, contract.name, day],
        )
        _enter(wh, delivery, number, "accepted", None, tables)
        for table in contract.tables:
            promote_table(wh, contract, table, number, day)
        wh.execute(f"INSERT INTO {FAULT} BY NAME SELECT * FROM {FAULTS}")
        wh.execute("COMMIT")
    except BaseException:
        wh.con.rollback()
        raise
    finally:
        _drop_candidates(wh)
    return tuple(f"supersedes delivery {row[0]} of the same extract date" for row in earlier)


def consumed_files(intakes: Iterable[Intake], archive: Archive) -> list[Path]:
    """Files of deliveries that are in and archived: our own inbox need not keep them once the run is real."""
    found: list[Path] = []
    for intake in intakes:
        if intake.state in ("accepted", "skipped") and all(archive.holds(sha256) for sha256 in intake.hashes):
            found += [*intake.files, intake.folder / MANIFEST]
    return found


def _store(archive: Archive | None, delivery: Delivery) -> list[str]:
    """Archive what isn't there yet, all or nothing; returns its hashes."""
    if archive is None:
        return []
    new = [file for file, _ in delivery.files if not archive.holds(file.sha256)]
    try:
        for file in new:
            archive.store(file)
    except BaseException:
        for file in new:
            archive.remove(file.sha256)
        raise
    return [file.sha256 for file in new]


def _unstore(archive: Archive | None, stored: "Future[list[str]]") -> None:
    """Take a refused delivery out of the archive again: nothing is kept of what isn't used."""
    if archive is not None and stored.exception() is None:
        for sha256 in stored.result():
            archive.remove(sha256)


def _unreadable(here: str, fault: OSError) -> str:
    return f"{here}: can't be read ({os.strerror(fault.errno or 0)}); see to its permissions."


def _next_delivery(wh: Warehouse) -> int:
    return int(wh.scalar(f"SELECT coalesce(max(delivery), 0) + 1 FROM {INTAKE}"))


def _already_in(wh: Warehouse, delivery: Delivery) -> bool:
    """Whether the same files were taken in for that extract date: in force, superseded or expired since."""
    known = wh.rows(
        f"SELECT list(DISTINCT sha256) FROM {INTAKE} WHERE source = ? AND extract_date = ? "
        "AND state IN ('accepted', 'superseded', 'expired') GROUP BY delivery",
        [delivery.source, delivery.extract_date],
    )
    return any(frozenset(row[0]) == delivery.fingerprint for row in known)


def _older_twin(wh: Warehouse, delivery: Delivery) -> date | None:
    """The date of an accepted extract with these very files, if one with others lies between it and this one."""
    known = wh.rows(
        f"SELECT extract_date, list(DISTINCT sha256) FROM {INTAKE} WHERE source = ? AND extract_date < ? "
        "AND state = 'accepted' GROUP BY extract_date ORDER BY extract_date DESC",
        [delivery.source, delivery.extract_date],
    )
    same = [day for day, hashes in known if frozenset(hashes) == delivery.fingerprint]
    return same[0] if same and same[0] != known[0][0] else None


def _previous(wh: Warehouse, contract: Contract, before: date) -> dict[str, int | None]:
    """Rows by table in the last full extract before a day; of one that comes late and is the first, in the next."""
    found = wh.rows(
        f"SELECT table_name, coalesce(arg_max(rows, extract_date) FILTER (extract_date < ?), "
        f"arg_min(rows, extract_date) FILTER (extract_date > ?)) FROM {INTAKE} "
        "WHERE source = ? AND state = 'accepted' AND supply = 'full' GROUP BY table_name",
        [before, before, contract.name],
    )
    counts = dict(found)
    return {table.name: counts.get(table.name) for table in contract.tables}


def _refuse(
    wh: Warehouse,
    contract: Contract,
    folder: Path,
    delivery: Delivery | None,
    reason: str,
    tables: Mapping[str, CandidateTable] | None = None,
    state: Literal["refused", "unjudged"] = "refused",
) -> Intake:
    """Record a refusal and what was found at fault; nothing else changes."""
    number = _next_delivery(wh)
    day = dated(folder)
    wh.execute("BEGIN TRANSACTION")
    try:
        _forget_refusals(wh, contract, day)
        if delivery is not None:
            _enter(wh, delivery, number, state, reason, tables or {})
        else:
            wh.execute(
                f"INSERT INTO {INTAKE} (delivery, source, extract_date, state, reason, run_id) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [number, contract.name, day, "refused", reason, wh.run_id],
            )
        if wh.exists(FAULTS):
            wh.execute(f"INSERT INTO {FAULT} BY NAME SELECT * FROM {FAULTS}")
        wh.execute("COMMIT")
    except BaseException:
        wh.con.rollback()
        raise
    _drop_candidates(wh)
    hashes = tuple(sorted(delivery.fingerprint)) if delivery else ()
    return Intake(contract.name, folder, state, day, reason=reason, hashes=hashes)


def _enter(
    wh: Warehouse, delivery: Delivery, number: int, state: str, reason: str | None, tables: Mapping[str, CandidateTable]
) -> None:
    synthetic = bool(delivery.manifest and delivery.manifest.synthetic)
    for file, held in delivery.files:
        for table in held:
            found = tables.get(table.name)
            faults = sum(found.value_faults.values()) if found else None
            wh.execute(
                f"INSERT INTO {INTAKE} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    number, delivery.source, delivery.extract_date, file.name, table.name, file.sha256, file.size,
                    found.rows if found else None, found.set_aside if found else None, faults, state, reason,
                    wh.run_id, synthetic, delivery.supply,
                ],
            )  # fmt: skip


def _forget_refusals(wh: Warehouse, contract: Contract, day: date | None) -> None:
    """An earlier refusal of the same extract is replaced by what is known now."""
    of_day = "source = ? AND extract_date IS NOT DISTINCT FROM ? AND state IN ('refused', 'unjudged')"
    wh.execute(
        f"DELETE FROM {FAULT} WHERE source = ? AND delivery IN (SELECT delivery FROM {INTAKE} WHERE {of_day})",
        [contract.name, contract.name, day],
    )
    wh.execute(f"DELETE FROM {INTAKE} WHERE {of_day}", [contract.name, day])


def _drop_candidates(wh: Warehouse) -> None:
    for (name,) in wh.rows(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'memory' AND schema_name = 'incoming'"
    ):
        wh.execute(f"DROP TABLE IF EXISTS memory.incoming.{name}")
