"""Erasures as people ask for them: requested, approved by another or refused on a ground of the law, listed."""

from pipelines.custody.asking import waiting
from pipelines.faults import BoroughlinkError, plural
from pipelines.governance import approvals, audit
from pipelines.governance.actors import acting
from pipelines.governance.approvals import roles_needed
from pipelines.governance.erasure_grounds import ERASED_BECAUSE, EXEMPT, GROUND, KEPT_BECAUSE, KIND, refuse_erasure
from pipelines.keys.keyring import READING
from pipelines.keys.pseudonyms import lasting_name, record_name
from pipelines.operations import Operations, standing_store
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import open_snapshot
from pipelines.warehouse import Warehouse

OFFICER = "data_protection_officer"
DAYS = 30  # the law gives a month for the answer (Article 12(3)); what was approved must be done in it


def ask(folder: DataFolder, named: str, basis: str, reason: str) -> str:
    """Ask that a record, or every record of a person, be erased. Raises BoroughlinkError for nobody known."""
    if basis not in ERASED_BECAUSE:
        raise BoroughlinkError(f"Say on what ground: {', '.join(ERASED_BECAUSE)}.")
    settings = load_settings(folder)
    with standing_store(folder, READING) as operations:
        with open_snapshot(folder) as (wh, _):
            records = records_of(wh, named)
        subject = named if named not in records else record_name(operations.keyring, named)
        request = approvals.ask(
            operations, acting(folder), KIND, subject, reason,
            particulars={"ground": ERASED_BECAUSE[basis], "records": records},
            mark=lasting_name(operations.keyring, "e_", KIND, *records),  # a plain hash of record ids could be guessed
            roles=roles_needed(settings, OFFICER), days=DAYS,
        )  # fmt: skip
        audit.record(operations, acting(folder).login, GROUND, subject, request=request, ground=basis)
    sources = {record.partition(":")[0] for record in records}
    said = f"{plural(len(records), 'record')} of {plural(len(sources), 'source')} ({', '.join(sorted(sources))}). "
    return said + waiting(request, KIND).replace("requests approve", "erase approve")


def records_of(wh: Warehouse, named: str) -> list[str]:
    """The published record of that name, or those of the person of that id, in their order."""
    found = wh.rows(
        "-- a record (record_id)\nSELECT record_id FROM published.linkage.membership WHERE person_id = ? "
        "UNION SELECT record_id FROM published.people.record WHERE record_id = ? ORDER BY 1",
        [named, named],
    )
    if not found:
        raise BoroughlinkError(
            "No published record or person has that id: `boroughlink resolve` says what became of an id."
        )
    return [str(record) for (record,) in found]


def refuse(folder: DataFolder, request_id: str, exemption: str, reason: str) -> str:
    """Turn an erasure down on a ground of the law, as another person than who asked."""
    with standing_store(folder) as operations:
        refuse_erasure(operations, acting(folder), request_id, exemption, reason)
    return (
        f"Refused ({KEPT_BECAUSE[exemption]}). Tell the person within a month of their asking, with this reason, and "
        "that they may complain to the Information Commissioner or go to court (Article 12(4))."
    )


def listed(folder: DataFolder) -> Answer:
    """Every erasure that was asked for, the newest first: its ground, its state, and until when it must be done."""
    with standing_store(folder) as operations:
        found = approvals.requests(operations, KIND)
        grounds = _grounds(operations)
    rows = [
        (
            one.request_id, one.object, grounds.get(one.request_id, ""), "ended" if one.expired else one.state,
            one.requested_by, one.requested_at[:10], one.answered_by or "", one.expires[:10],
        )
        for one in found
    ]  # fmt: skip
    columns = ("request", "of", "ground", "state", "asked by", "on", "answered by", "until")
    return Answer(() if rows else ("No erasure was ever asked for.",), [("Erasures", columns, rows)] if rows else [])


def _grounds(operations: Operations) -> dict[str, str]:
    """By request: the article it stands on, or is refused on, as the audit has it."""
    words = {GROUND: ERASED_BECAUSE, EXEMPT: KEPT_BECAUSE}
    found = audit.entries(operations, words)
    return {each["detail"]["request"]: words[each["event"]][each["detail"]["ground"]] for each in found}
