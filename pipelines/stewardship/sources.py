"""What the steward of a source asks: what stands of it, how it drifts, which rows wait to be mended, what its system's
owner should hear. Reading is from the published snapshot; only rows to mend are read from the identity zone."""

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.exports import write_csv, write_table
from pipelines.faults import BoroughlinkError, plural
from pipelines.governance import audit
from pipelines.governance.actors import person
from pipelines.outgoing.files import noted, stamp_of, target_of
from pipelines.reading.answer import Answer
from pipelines.reading.purposes import contracts_at, purposes_at
from pipelines.runs import Run
from pipelines.scorecard.standing import judged_principles
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import NothingPublished, open_snapshot
from pipelines.sources.contracts import Contract
from pipelines.sources.fault_words import words
from pipelines.sources.quarantine import ID, LINE_TEXT, release, rows_to_mend
from pipelines.stewardship.zone import PURPOSE, identity_zone
from pipelines.warehouse import Warehouse

_REPORT = ("extract", "state", "file", "table", "line", "column", "what is wrong", "what to do")


def listed(folder: DataFolder, sources: str | None) -> Answer:
    """Every source: level, owner, what it provides and may serve, its promises, and what of it stands; then its law."""
    contracts = contracts_at(folder, sources)
    today = load_settings(folder).today()
    standing = _standing(folder)
    rows = [
        (
            c.name,
            c.level,
            c.owner,
            ", ".join(c.facts) or "places",
            ", ".join(sorted(c.purposes)),
            f"{c.refresh_days} days",
            f"{c.retention_days} days",
            *standing.get(c.name, (None, None, "never came")),
        )
        for c in contracts.values()
    ]
    columns = ("source", "level", "owner", "provides", "may serve", "promised every", "kept")
    law = ("source", "purpose", "lawful basis", "gateway", "conditions", "agreed until")
    bases = [
        (c.name, purpose, b.basis, b.gateway, b.conditions, f"{b.expires}{' (over)' if b.expires < today else ''}")
        for c in contracts.values()
        for purpose, b in sorted(c.purposes.items())
    ]
    loaded = ("rows", "last extract", "state")
    return Answer((), [("Sources", (*columns, *loaded), rows), ("Lawful bases", law, bases)])


def _standing(folder: DataFolder) -> dict[str, tuple[int | None, str | None, str]]:
    """By source: rows and date of the newest extract in force, and how the newest delivery fared."""
    try:
        with open_snapshot(folder) as (wh, _):
            found = wh.rows(
                """-- one row per source
                SELECT source, sum(rows) FILTER (state = 'accepted' AND extract_date = newest)::BIGINT, newest,
                       arg_max(state, (extract_date, delivery))
                FROM published.meta.intake
                JOIN (SELECT source, max(extract_date) FILTER (state = 'accepted') AS newest
                      FROM published.meta.intake GROUP BY source) USING (source)
                GROUP BY source, newest"""
            )
    except NothingPublished:
        return {}
    return {name: (rows, str(day) if day else None, state) for name, rows, day, state in found}


def drift_of(folder: DataFolder, name: str, sources: str | None) -> Answer:
    """How the layouts that came differ from the contract, newest extract first."""
    _contract(folder, name, sources)
    with open_snapshot(folder) as (wh, _):
        found = wh.rows(
            "SELECT extract_date, file, table_name, reason, column_name, record, found FROM published.meta.fault "
            "WHERE source = ? AND kind = 'layout' ORDER BY extract_date DESC, file, record, reason",
            [name],
        )
    rows = [(str(day), file, table, words(reason)[0], *rest) for day, file, table, reason, *rest in found]
    columns = ("extract", "file", "table", "difference", "column of the contract", "number in the file", "found there")
    said = "No layout has drifted." if not rows else f"{plural(len(rows), 'difference')} from the contract."
    return Answer((said,), [("Layout", columns, rows)] if rows else [])


def quarantine_of(folder: DataFolder, name: str | None, sources: str | None) -> Answer:
    """Rows that wait to be mended in extracts in force: where they stand and what to do, never a value."""
    if name:
        _contract(folder, name, sources)
    with open_snapshot(folder) as (wh, _):
        found = wh.rows(
            "SELECT f.delivery || '/' || table_name || '/' || record, f.source, f.extract_date, f.file, line, "
            "column_name, f.reason FROM published.meta.fault f SEMI JOIN (FROM published.meta.intake WHERE state = "
            "'accepted') i USING (delivery) WHERE kind = 'row' AND (? IS NULL OR f.source = ?) "
            "ORDER BY f.delivery, table_name, record",
            [name, name],
        )
    rows = [(*row[:2], str(row[2]), *row[3:6], *words(row[6])) for row in found]
    columns = ("id", "source", "extract", "file", "line", "column", "what is wrong", "what to do")
    said = f"{plural(len(rows), 'row')} wait to be mended." if rows else "No row waits."
    return Answer((said,), [("Quarantine", columns, rows)] if rows else [])


def write_quarantine(folder: DataFolder, name: str, out: Path, sources: str | None) -> str:
    """The rows of a source that wait, with their values, to be mended and released; one table a file."""
    contract = _contract(folder, name, sources)
    target = target_of(folder, out, (".csv",))
    with identity_zone(folder) as wh:
        waiting = {table.name: rows_to_mend(wh, contract, table) for table in contract.tables}
    held = [table for table in contract.tables if waiting[table.name]]
    if not held:
        return "No row waits."
    stamp = stamp_of(folder, f"rows of {name} to mend: personal data, for its stewards only", _run_of(folder))
    said = []
    for table in held:
        path = target if len(held) == 1 else target.with_name(f"{target.stem}_{table.name}.csv")
        head = (ID, LINE_TEXT, *(column.name for column in table.kept))
        said.append(noted(folder, "quarantined rows exported", path, len(waiting[table.name]), PURPOSE))
        write_csv(path, head, waiting[table.name], stamp)
    return "\n".join(said)


def release_rows(folder: DataFolder, name: str, file: Path, sources: str | None) -> str:
    """Release mended rows from a file that `write_quarantine` wrote: all or none, as a run of its own, audited."""
    contract = _contract(folder, name, sources)
    mended = _mended(file)
    tables = {row[ID].split("/")[1] if row[ID].count("/") == 2 else "" for row in mended}
    if len(tables) != 1 or not tables <= {table.name for table in contract.tables}:
        raise BoroughlinkError(
            f"{file}: the column {ID} must name rows of one table of {name}, as `quarantine list` does."
        )
    table = contract.table(tables.pop())
    if lacking := [column.name for column in table.kept if column.name not in mended[0]]:
        raise BoroughlinkError(f"{file}: lacks the column {lacking[0]}; keep the columns as they were written.")
    with Run.of_its_own(folder) as run:
        with run.warehouse(("identity",)) as wh:
            count = release(wh, contract, table, mended)
        run.notes["released"] = {name: count}
        audit.record(run.operations, person(), "rows released from quarantine", name, rows=count, run=run.run_id)
    return f"{plural(count, 'row')} of {name}, {table.name}, released. `boroughlink run` brings everything up to date."


def write_report(folder: DataFolder, name: str, out: Path, sources: str | None) -> str:
    """What was wrong with the extracts of a source, for its system's owner: places and words, no personal value."""
    contract = _contract(folder, name, sources)
    target = target_of(folder, out, (".csv", ".xlsx"))
    with open_snapshot(folder) as (wh, place):
        rows = [*_refusals(wh, name), *_faults(wh, name), *_failed_rules(wh, name)]
        missing = _nothing_in_force(wh, contract)
    purpose = f"error report for {contract.owner} on {contract.system}"
    notice = "Lines and columns only: no personal value." + missing
    stamp = replace(stamp_of(folder, purpose, place.name), notice=notice)
    said = noted(folder, "error report exported", target, len(rows), PURPOSE)
    write_table(target, _REPORT, rows, stamp, "Errors")
    return said


def _refusals(wh: Warehouse, name: str) -> list[tuple[Any, ...]]:
    found = wh.rows(
        "SELECT DISTINCT extract_date, reason FROM published.meta.intake WHERE source = ? "
        "AND state IN ('refused', 'unjudged') ORDER BY ALL",
        [name],
    )
    advice = "send the extract again, as the contract has it"
    return [(day, "refused", None, None, None, None, reason, advice) for day, reason in found]


def _faults(wh: Warehouse, name: str) -> list[tuple[Any, ...]]:
    found = wh.rows(
        "SELECT f.extract_date, i.state, f.file, f.table_name, f.line, f.column_name, f.reason "
        "FROM published.meta.fault f JOIN (SELECT DISTINCT delivery, state FROM published.meta.intake) i "
        "USING (delivery) WHERE f.source = ? AND f.kind <> 'released' AND i.state <> 'superseded' "
        "ORDER BY f.extract_date DESC, f.file, f.table_name, f.line, f.column_name, f.reason",
        [name],
    )
    return [(*row[:6], *words(row[6])) for row in found]


def _failed_rules(wh: Warehouse, name: str) -> list[tuple[Any, ...]]:
    judged = judged_principles(wh, "published", name).get(name, ())
    nowhere = (None, None, None, None)
    return [
        (None, rule.severity, *nowhere, rule.words, f"{rule.failures:,} of {rule.rows:,}")
        for each in judged
        for rule in each.failing
    ]


def _nothing_in_force(wh: Warehouse, contract: Contract) -> str:
    held = wh.scalar(
        "SELECT count(*) FROM published.meta.intake WHERE source = ? AND state = 'accepted'", [contract.name]
    )
    return "" if held else " No extract of this source is in force."


def _mended(file: Path) -> list[dict[str, str]]:
    """Rows of a mended file; an apostrophe that the export put before a formula's sign goes again."""
    try:
        text = file.expanduser().read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise BoroughlinkError(f"{file}: can't be read as UTF-8 CSV ({type(fault).__name__}).") from None
    if not rows or ID not in rows[0]:
        raise BoroughlinkError(
            f"{file}: holds no row with the column {ID}; `sources quarantine list --out` writes one."
        )
    return [
        {name: _unquoted(value or "") for name, value in row.items() if isinstance(name, str)}
        for row in rows
        if any(row.values())
    ]


def _unquoted(value: str) -> str:
    return value[1:] if value[:1] == "'" and value[1:2] in ("=", "+", "-", "@") else value


def _contract(folder: DataFolder, name: str, sources: str | None) -> Contract:
    contracts = contracts_at(folder, sources)
    if name not in contracts:
        raise BoroughlinkError(f"No source is called {name}. There are: {', '.join(contracts)}.")
    purposes_at(folder, sources).require(PURPOSE, [name])
    found: Contract = contracts[name]
    return found


def _run_of(folder: DataFolder) -> str:
    with open_snapshot(folder) as (_, place):
        return place.name
