"""Taking in what people decided about pairs of records, from a file."""

import csv
import hashlib
import io
import os
from pathlib import Path
from typing import Any

from pipelines.faults import BoroughlinkError, plural
from pipelines.governance import audit
from pipelines.governance.actors import person
from pipelines.operations import opened_store
from pipelines.settings import DataFolder
from pipelines.snapshots import NothingPublished, open_snapshot

KINDS = ("must_link", "cannot_link", "unsure", "label")
NEEDED = {"kind", "record_l", "record_r"}
OPTIONAL = {"same", "inclusion_probability", "reason", "sample"}


class DecisionFileFault(BoroughlinkError):
    """The file can't be taken in; names line and column, never a value."""


def import_file(folder: DataFolder, path: Path, by: str | None = None) -> str:
    """Append a CSV file of decisions, all or none; the same file a second time adds nothing. Returns what was done."""
    rows = read_decisions(path)
    _attach_fingerprints(folder, rows)
    who, batch = by or person(), hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    with opened_store(folder) as operations:
        added = operations.add_decisions(rows, who, batch)
        if added:
            audit.record(operations, who, "decisions imported", batch, batch=batch, decisions=added)
    if not added:
        return "These decisions were taken in before: nothing added."
    return f"{plural(added, 'decision')} taken in. The next run honours {'it' if added == 1 else 'them'}."


def read_decisions(path: Path) -> list[dict[str, Any]]:
    """The rows of a decisions file, checked; raises DecisionFileFault with line and column."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DecisionFileFault(f"{path} is not there.") from None
    except UnicodeDecodeError:
        raise DecisionFileFault(f"{path} is not UTF-8 text.") from None
    except OSError as fault:
        raise DecisionFileFault(f"{path} can't be read: {os.strerror(fault.errno or 0)}.") from None
    try:
        return _rows(path, csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error:
        raise DecisionFileFault(
            f"{path} can't be read as CSV: a field is far too long, or line ends are mixed."
        ) from None


def _rows(path: Path, lines: "csv.DictReader[str]") -> list[dict[str, Any]]:
    names = set(lines.fieldnames or ())
    if missing := NEEDED - names:
        raise DecisionFileFault(f"{path}, line 1: the column {', '.join(sorted(missing))} is missing.")
    if unknown := names - NEEDED - OPTIONAL:
        raise DecisionFileFault(
            f"{path}, line 1: {plural(len(unknown), 'column')} unknown here; "
            f"known are {', '.join(sorted(NEEDED | OPTIONAL))}."
        )
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str, str, bool], int] = {}
    number = lines.line_num + 1
    for line in lines:
        row = _checked(path, number, line)
        left, right = sorted((row["record_l"], row["record_r"]))
        pair = (left, right, row["kind"] == "label")
        if pair in seen:
            raise DecisionFileFault(f"{path}, line {number}: the same pair stands on line {seen[pair]} already.")
        seen[pair] = number
        rows.append(row)
        number = lines.line_num + 1  # a quoted field may hold line breaks
    if not rows:
        raise DecisionFileFault(f"{path} holds no decision.")
    return rows


def _checked(path: Path, number: int, line: dict[str, Any]) -> dict[str, Any]:
    where = f"{path}, line {number}"
    if None in line or None in line.values():
        raise DecisionFileFault(f"{where}: {'more' if None in line else 'fewer'} fields than the heading has.")
    row = {name: value.strip() for name, value in line.items()}
    if row["kind"] not in KINDS:
        raise DecisionFileFault(f"{where}, column kind: one of {', '.join(KINDS)} is expected.")
    for column in ("record_l", "record_r"):
        if not row[column]:
            raise DecisionFileFault(f"{where}, column {column}: empty.")
    if row["record_l"] == row["record_r"]:
        raise DecisionFileFault(f"{where}: a record can't be decided against itself.")
    decision: dict[str, Any] = {name: row[name] for name in NEEDED} | {"reason": row.get("reason") or None}
    if row["kind"] == "label":
        if row.get("same") not in ("yes", "no"):
            raise DecisionFileFault(f"{where}, column same: yes or no is expected for a label.")
        decision["same"] = row["same"] == "yes"
    if given := row.get("inclusion_probability"):
        try:
            probability = float(given)
        except ValueError:
            probability = 0.0
        if not 0 < probability <= 1:
            raise DecisionFileFault(f"{where}, column inclusion_probability: a number above 0, at most 1, is expected.")
        decision["inclusion_probability"] = probability
    return decision


def _attach_fingerprints(folder: DataFolder, rows: list[dict[str, Any]]) -> None:
    """Note what the deciders could see: each record's fingerprint in the published snapshot, where there is one."""
    try:
        with open_snapshot(folder) as (wh, _):
            ids = sorted({row[side] for row in rows for side in ("record_l", "record_r")})
            known = dict(
                wh.rows(
                    "SELECT record_id, fingerprint FROM published.people.record WHERE record_id IN (SELECT unnest(?))",
                    [ids],
                )
            )
    except NothingPublished:
        return
    if unknown := [i for i in ids if i not in known]:
        first = next(n for n, row in enumerate(rows, 1) if not {row["record_l"], row["record_r"]} <= known.keys())
        raise DecisionFileFault(
            f"Of {plural(len(ids), 'record')} here, {len(unknown)} not in the published run, first in decision {first}:"
            " see `export clusters`."
        )
    for row in rows:
        row["fingerprint_l"], row["fingerprint_r"] = known[row["record_l"]], known[row["record_r"]]
