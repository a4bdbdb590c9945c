"""What the sources hold of the records of one request: about one person, approved by another, sealed for one reader.

For purposes whose people appear by name. No link is followed: whoever asks names the records, so nothing that only
another source knows is in the answer.
"""

import json
from collections.abc import Sequence
from typing import Any

import pyrage

from pipelines import warehouse
from pipelines.custody.asking import waiting
from pipelines.faults import BoroughlinkError, Refusal
from pipelines.governance import approvals, revealed
from pipelines.governance.actors import acting
from pipelines.governance.protection import withheld
from pipelines.governance.purposes import Purpose, PurposeRefused, Purposes
from pipelines.governance.treatments import passing_sql
from pipelines.keys.age_keys import age_key
from pipelines.keys.keyring import DISCLOSING
from pipelines.keys.pseudonyms import record_name
from pipelines.operations import standing_store
from pipelines.people.inherited import sealed_places
from pipelines.reading.purposes import purposes_at
from pipelines.settings import DataFolder, load_settings
from pipelines.sources.facts import FACTS, FactTable
from pipelines.sources.window import OWNER, how_a_fact_passes
from pipelines.warehouse import Warehouse

KIND, OFFICER = "disclosure", "data_protection_officer"
CAP = 50  # records in one request: more is no question about one person


def ask(folder: DataFolder, purpose: str, records: Sequence[str], basis: str, reason: str) -> str:
    """Ask for what is held of these records. Raises PurposeRefused where a source may not serve the purpose."""
    wanted = sorted({one.strip() for one in records})
    if not wanted or len(wanted) > CAP:
        raise Refusal(f"An answer is about 1 to {CAP} records of one person; this asks for {len(wanted)}.")
    if len(basis.strip()) < approvals.MIN_REASON:
        raise BoroughlinkError("Give the legal basis on which this may be told, in a sentence.")
    stated = _may(purposes_at(folder, None), purpose, wanted)
    roles = [one.replace(" ", "_") for one in stated.approvers] or [OFFICER]
    settings = load_settings(folder)
    with standing_store(folder) as operations:
        request = approvals.ask(
            operations, acting(folder), KIND, purpose, reason,
            particulars={"basis": basis.strip(), "records": wanted}, roles=approvals.roles_needed(settings, *roles),
        )  # fmt: skip
    return waiting(request, KIND)


def reveal(folder: DataFolder, request_id: str, reader: str) -> str:
    """Write the answer to an approved request, in a file that only the reader's key opens, for some days.

    Purpose and sources are asked again; the audit has its entry before the file is there.
    """
    recipient = age_key(reader)
    revealed.sweep(folder)
    settings = load_settings(folder)
    with standing_store(folder, DISCLOSING) as operations:
        request = approvals.standing(operations, request_id, KIND, taken_by=acting(folder))
        purposes, wanted = purposes_at(folder, None), list(request.said["records"])
        _may(purposes, request.object, wanted)
        if not folder.identity.exists():
            raise BoroughlinkError(f"There is nothing in {folder.root} yet: `boroughlink run` comes first.")
        zones = {"identity": (folder.identity, operations.keyring.key("identity"))}
        limits = (settings.memory_limit, settings.threads)
        with warehouse.opened(zones, folder.temp, (), *limits, read_only=True) as con:
            held, kept = _held(Warehouse(con, "", settings.today()), purposes, request.object, wanted)
        names = sorted(record_name(operations.keyring, one) for one in held)
        lost = len(set(wanted) - set(held) - set(kept))
        approvals.done(operations, acting(folder), request, records=names, kept_back=len(kept), not_found=lost)
        answer = {
            "request": request_id,
            "purpose": request.object,
            "basis": request.said["basis"],
            "delete_after_days": revealed.DAYS,
            "records": held,
            "not_answered": sorted(set(wanted) - set(held)),  # that somebody is protected isn't told either
        }
    path = revealed.keep(folder, request_id, pyrage.encrypt(json.dumps(answer, default=str).encode(), [recipient]))
    apart = (
        f" Kept back, for their people are protected: {len(kept)}; the service that holds them answers." if kept else ""
    )
    return (
        f"What is held of {len(held)} of {len(wanted)} records is in {path}, which only the reader's key opens "
        f"(`age -d -i KEYFILE`). It is removed after {revealed.DAYS} days.{apart}"
    )


def _may(purposes: Purposes, purpose: str, records: Sequence[str]) -> Purpose:
    sources = sorted({one.split(":", 1)[0] for one in records})
    purposes.require(purpose, sources)
    if not purposes.purposes[purpose].identifiable:
        raise PurposeRefused(f"Nobody appears by name for `{purpose}`: `boroughlink release` or `query` serves it.")
    return purposes.purposes[purpose]


def _held(
    wh: Warehouse, purposes: Purposes, purpose: str, records: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """By record, the rows of each fact as they pass for the purpose; and the records of protected people."""
    there = wh.rows(
        "SELECT DISTINCT record_id FROM identity.facts.person_record "
        "WHERE record_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY 1",
        [list(records)],
    )
    kept = _protected(wh, records)
    held: dict[str, dict[str, Any]] = {record: {} for (record,) in there if record not in kept}
    for record, facts in held.items():
        source = record.split(":", 1)[0]
        for fact in sorted(set(purposes.contracts[source].facts) & FACTS.keys()):
            table = FACTS[fact]
            where = f"{OWNER} = ?" if OWNER in {column.name for column in table.columns} else ""
            if fact == "address" and wh.exists("identity.facts.residence"):
                where = f"address_id IN (SELECT address_id FROM identity.facts.residence WHERE {OWNER} = ?)"
            if where and wh.exists(f"identity.facts.{fact}"):
                told = _rows(wh, table, how_a_fact_passes(purposes, purpose, source, fact), where, source, record)
                facts |= {fact: told} if told else {}
    return held, sorted(kept)


def _protected(wh: Warehouse, records: Sequence[str]) -> set[str]:
    """Of these records, those whose own flag or another record's keeps them back, and those of where a sealed person
    lives."""
    ways = [f"SELECT record_id FROM identity.facts.person_record WHERE sensitivity IN ({withheld()})"]
    if wh.exists("identity.people.record"):  # holds the flags that reach further than their record
        ways.append(f"SELECT record_id FROM identity.people.record WHERE sensitivity IN ({withheld()})")
    if wh.exists("identity.places.address_uprn"):
        placed = [
            f"SELECT record_id, address_id, source FROM identity.facts.{name}"
            for name, table in FACTS.items()
            if {OWNER, "address_id"} <= {column.name for column in table.columns}
            and wh.exists(f"identity.facts.{name}")
        ]
        ways.append(
            f"SELECT record_id FROM ({' UNION ALL '.join(placed)}) "
            f"JOIN identity.places.address_uprn USING (address_id) JOIN {sealed_places(wh)} USING (uprn, source)"
        )
    found = wh.rows(
        f"SELECT DISTINCT record_id FROM ({' UNION ALL '.join(ways)}) WHERE record_id IN (SELECT unnest(?::VARCHAR[]))",
        [list(records)],
    )
    return {record for (record,) in found}


def _rows(wh: Warehouse, table: FactTable, how: Any, where: str, source: str, record: str) -> list[dict[str, Any]]:
    columns = {
        column.name: column.name
        if column.name == OWNER
        else passing_sql(column.name, column.type, how.get(column.name, ()))
        for column in (*table.columns, *(one for one in table.all_columns if one.name == "valid_to"))
    }
    shown = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    rows = wh.rows(
        f"SELECT {shown} FROM identity.facts.{table.name} WHERE source = ? AND {where} ORDER BY ALL", [source, record]
    )
    return [{name: value for name, value in zip(columns, row, strict=True) if value is not None} for row in rows]
