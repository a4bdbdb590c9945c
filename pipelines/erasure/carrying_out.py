"""An approved erasure carried out: one run that takes a person out of every store, and what follows its commit.

Until the commit everything is built beside, but for what is safe to be done early (sealed texts, releases that nobody
has). What follows needs no knowledge of the person, only the keyed hashes that the committed state holds, so that after
a kill at any moment the same command completes it.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from pipelines.commit_point import Current, alone_with
from pipelines.erasure.releases import Holding, holding, take_back
from pipelines.erasure.sealed import forget_sealed
from pipelines.erasure.subject import Subject, items_of, subject_of
from pipelines.erasure.tables import write_without
from pipelines.erasure.telling import report
from pipelines.faults import BoroughlinkError
from pipelines.fraud.hand_over import write_flagged_pairs
from pipelines.governance import approvals, audit, revealed
from pipelines.governance.actors import acting
from pipelines.governance.approvals import Request
from pipelines.governance.erasure_grounds import ERASED, KIND
from pipelines.governance.looks import IN_BULK
from pipelines.keys.keyring import ERASING
from pipelines.keys.pseudonyms import lasting_name
from pipelines.linkage.persons import LEDGER, MEMBERSHIP, PERSON
from pipelines.linkage.shelf import Shelf
from pipelines.operations import Operations
from pipelines.reading.answer import Answer
from pipelines.reading.purposes import contracts_at
from pipelines.runs import PUBLISHED_FILES, ZONE_KEYS, Run
from pipelines.settings import DataFolder, write_atomically
from pipelines.snapshots import open_snapshot
from pipelines.sources.archive import Archive
from pipelines.sources.erasure import drop_unread_values, erase, erase_archived, erase_numbered
from pipelines.stewardship.zone import identity_zone
from pipelines.warehouse import Warehouse

NOTE = "erasure"
#: Events by which files with people by name left the folder: whoever got one must be told.
EXPORTED = (*IN_BULK, "quarantined rows exported", "rows to mend exported")


def carry_out(folder: DataFolder, request_id: str, sources: str | None) -> Answer:
    """Erase whom an approved request names, or complete what was cut off. Raises ApprovalRefused, and BoroughlinkError
    where a record can't be taken out of its source: then nothing has changed."""
    told = _committed(folder, request_id) or _erase(folder, request_id, sources)
    return report(told | _complete(folder, request_id, told, sources))


def _committed(folder: DataFolder, request_id: str) -> dict[str, Any] | None:
    """What the run that erased for this request noted, if it was committed."""
    with alone_with(folder, "an erasure", ERASING) as operations:
        notes = [json.loads(run["summary"] or "{}").get("notes", {}) for run in operations.runs("committed")]
        told = [note[NOTE] for note in notes if note.get(NOTE, {}).get("request") == request_id]
        if not told or approvals.find(operations, request_id).state == "done":
            approvals.standing(operations, request_id, KIND)  # or says why not
        return told[0] if told else None


def _erase(folder: DataFolder, request_id: str, sources: str | None) -> dict[str, Any]:
    contracts = contracts_at(folder, sources)
    with Run.of_its_own(folder, ERASING) as run:
        request = approvals.standing(run.operations, request_id, KIND)
        records = [str(record) for record in request.said["records"]]
        if lasting_name(run.keyring, "e_", KIND, *records) != request.mark:
            raise approvals.ApprovalRefused("Erasure: what it was approved for has changed since; ask again.")
        _require_known(records, contracts)
        archive, secret = Archive(folder.archive, run.keyring.key("archive")), run.keyring.key("suppression")
        rows: dict[str, int] = {}
        with run.warehouse(("identity",)) as wh:
            subject = subject_of(wh, records)
            for contract in contracts.values():
                mine = [record for record in records if record.startswith(f"{contract.name}:")]
                erased = (
                    erase(wh, contract, mine, secret) if mine else erase_numbered(wh, contract, subject.numbers, secret)
                )
                _require_all(wh, erased.unknown)
                if erased.rows or erased.emptied:
                    drop_unread_values(wh, contract, archive, secret)
                    rows[contract.name] = sum(erased.rows.values()) + sum(erased.emptied.values())
            _leave(wh, subject)
        _rewrite(run, subject)
        published = list(_published_with(folder, subject))
        holders = take_back(run.operations, holding(folder, run.operations, subject), acting(folder))
        seen = set[str]().union(*(items for _, items in published))
        forget_sealed(run.operations, replace(subject, items=subject.items | seen), request_id)
        _forget_answers(folder, run.operations, subject)
        told = _told(run, request, subject, rows, holders, [day for day, _ in published if day])
        run.notes[NOTE] = told
        audit.record(
            run.operations, acting(folder).login, ERASED, request.object, request=request_id,
            run=run.run_id, people=list(subject.ids), releases=[one.release_id for one in holders],
        )  # fmt: skip
    return told


def _require_known(records: list[str], contracts: Any) -> None:
    if unknown := sorted({record.partition(":")[0] for record in records} - set(contracts)):
        raise BoroughlinkError(f"No contract of {', '.join(unknown)} is at hand: name the folder with --sources.")


def _require_all(wh: Warehouse, unknown: list[str]) -> None:
    """A record that is among the facts and in no slot of its source can't be erased there: say so, change nothing."""
    if unknown and wh.exists("identity.facts.person_record"):
        asked = (
            "SELECT DISTINCT source FROM identity.facts.person_record WHERE record_id IN (SELECT unnest(?::VARCHAR[]))"
        )
        if held := wh.rows(asked, [unknown]):
            raise BoroughlinkError(
                f"A record of {held[0][0]} stands in a row that its contract gives to somebody else (no `slot` names "
                "it): have it taken out of the system itself, or mend the contract. Nothing has changed."
            )


def _leave(wh: Warehouse, subject: Subject) -> None:
    """The records leave their persons, who keep their ids; the history of ids says that they left, not which."""
    if not wh.exists(MEMBERSHIP):
        return
    mine = [list(subject.records)]
    gone = "record_id IN (SELECT unnest(?::VARCHAR[]))"
    wh.execute(
        f"""-- one row per view and person that loses records
        CREATE OR REPLACE TEMP TABLE loses AS
        SELECT view, person_id, bool_and({gone}) AS wholly FROM {MEMBERSHIP}
        WHERE (view, person_id) IN (SELECT view, person_id FROM {MEMBERSHIP} WHERE {gone}) GROUP BY ALL""",
        [*mine, *mine],
    )
    wh.execute(f"DELETE FROM {MEMBERSHIP} WHERE {gone}", mine)
    wh.execute(
        f"""INSERT INTO {LEDGER} BY NAME
        SELECT coalesce((SELECT max(ledger_seq) FROM {LEDGER} m WHERE m.view = l.view), 0)
                   + row_number() OVER (PARTITION BY view ORDER BY person_id) AS ledger_seq,
               ? AS run_id, view, CASE WHEN wholly THEN 'retired' ELSE 'left' END AS event, person_id,
               NULL AS other_person_id, []::VARCHAR[] AS records, 'erased' AS reason
        FROM temp.loses l""",
        [wh.run_id],
    )
    wh.execute(
        f"""UPDATE {PERSON} AS p SET records = n.records, sources = n.sources,
            status = CASE WHEN n.records = 0 THEN 'retired' ELSE p.status END
        FROM (SELECT view, person_id, count(record_id)::INTEGER AS records, coalesce(list_sort(list(DISTINCT
                  split_part(record_id, ':', 1)) FILTER (record_id IS NOT NULL)), []) AS sources
              FROM temp.loses LEFT JOIN {MEMBERSHIP} USING (view, person_id) GROUP BY ALL) n
        WHERE p.view = n.view AND p.person_id = n.person_id"""
    )
    wh.execute("DROP TABLE temp.loses")


def _rewrite(run: Run, subject: Subject) -> None:
    """Every DuckDB file of the run, the published snapshot among them, the fraud team's files, and the models."""
    published = Current.read(run.folder).published
    if published:
        shutil.copytree(run.folder.published / published, run.work / "published", dirs_exist_ok=True)
        for path in (run.work / "published").iterdir():
            if path.suffix in (".json", ".html"):
                write_atomically(path, path.read_bytes().replace(published.encode(), run.run_id.encode()))
    for zone in ("identity", "attributes", *PUBLISHED_FILES):
        path = run.zone_file(zone)
        if path.exists():
            key = run.keyring.key(ZONE_KEYS.get(zone, zone))
            write_without(
                run.folder, run.settings, zone, path, key, subject, None if zone == "identity" else run.run_id
            )
    if published:
        with run.warehouse(("published",)) as wh:
            if wh.exists("published.fraud.flagged_pair"):
                place = run.work / "exports" / "fraud" / run.run_id
                write_flagged_pairs(wh, place, run.settings.export_days, "published.fraud.flagged_pair")
        run.publish_with(f"without {run.run_id}")
    shelf = Shelf.of(run.folder, run.keyring)
    for name in shelf.names():
        shelf.keep_without(name, subject.terms, run.work / "models")


def _forget_answers(folder: DataFolder, operations: Operations, subject: Subject) -> None:
    """Sealed answers of re-identifications that name the subject."""
    for entry in audit.entries(operations, ["re-identification done"]):
        if set(subject.ids) & set(entry["detail"].get("people", [])):
            (folder.root / revealed.FOLDER / f"{entry['detail']['request']}.age").unlink(missing_ok=True)
            operations.reseal_request(entry["detail"]["request"], None)


def _told(
    run: Run, request: Request, subject: Subject, rows: dict[str, int], holders: list[Holding], past_days: list[date]
) -> dict[str, Any]:
    """What the report says of what came before the commit: counts, random ids, recipients."""
    return {
        "request": request.request_id, "run": run.run_id, "rows": rows, "people": list(subject.ids),
        "releases": [one.plain() for one in holders],
        "past_days": [str(day) for day in past_days],
        "exports": [
            {"what": each["event"], "on": each["at"][:10], "by": each["actor"]}
            for each in audit.entries(run.operations, EXPORTED)
        ],
    }  # fmt: skip


def _published_with(folder: DataFolder, subject: Subject) -> Iterator[tuple[date | None, set[str]]]:
    """Published runs (no day) and reconstructed days that hold any of the records, and the items that touch them."""
    days = [date.fromisoformat(path.name) for path in sorted((folder.root / "as-of").glob("*"))]
    runs = [path.name for path in sorted(folder.published.iterdir()) if (path / "snapshot.duckdb").exists()]
    for day, run_id in [*((day, None) for day in days), *((None, run_id) for run_id in runs)]:
        with open_snapshot(DataFolder(folder.root, day), run_id) as (wh, _):
            asked = "SELECT count(*) FROM published.people.record WHERE record_id IN (SELECT unnest(?::VARCHAR[]))"
            if wh.exists("published.people.record") and wh.scalar(asked, [list(subject.records)]):
                yield day, items_of(wh, subject.records, "published")


def _complete(folder: DataFolder, request_id: str, told: dict[str, Any], sources: str | None) -> dict[str, Any]:
    """What follows the commit, from the committed state and the run's note alone; may be repeated."""
    with alone_with(folder, "an erasure", ERASING) as operations:
        rewritten, removed = _cleanse_archive(folder, operations, sources)
        gone = [path for day in told["past_days"] if (path := folder.root / "as-of" / day).exists()]
        # runs are named by the time of their start: those before this one hold the person
        runs = [*folder.published.iterdir(), *(folder.exports / "fraud").glob("*")]
        gone += [path for path in runs if path.is_dir() and path.name < told["run"]]
        for path in gone:
            shutil.rmtree(path)
        inbox = sorted({path.parent.name for path in folder.landing.rglob("*") if path.is_file()})
        request = approvals.find(operations, request_id)
        approvals.done(operations, acting(folder), request, archive_rewritten=rewritten, archive_removed=removed)
        operations.reseal_request(request_id, None)
    return {"archive": (rewritten, removed), "folders": len(gone), "inbox": inbox}


def _cleanse_archive(folder: DataFolder, operations: Operations, sources: str | None) -> tuple[int, int]:
    keyring = operations.keyring
    archive, done = Archive(folder.archive, keyring.key("archive")), [0, 0]
    with identity_zone(folder) as wh:
        for contract in contracts_at(folder, sources).values():
            found = erase_archived(wh, contract, archive, keyring.key("suppression"))
            done = [before + now for before, now in zip(done, found, strict=True)]
    return done[0], done[1]
