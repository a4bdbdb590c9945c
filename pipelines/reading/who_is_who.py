"""Why records are one person, and what became of an id: `explain`, `resolve`. Noted in the audit before it is shown."""

from pipelines.governance import audit
from pipelines.governance.actors import acting
from pipelines.keys.pseudonyms import record_name
from pipelines.operations import opened_store
from pipelines.reading.answer import Answer
from pipelines.reading.purposes import purposes_at
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import open_snapshot


def explanation_of(
    folder: DataFolder, left: str, right: str | None, purpose: str, sources: str | None = None
) -> Answer:
    """Why two records were linked or not; with one id, of a person or a record, what holds that person together.

    Noted in the audit before it is shown, and only what is a record or person: a name typed in their place would stand
    there in clear.
    """
    from pipelines.linkage.certainty import stop_of
    from pipelines.linkage.explain import Looked, explain, explain_person
    from pipelines.linkage.named_records import named_record

    settings = load_settings(folder)
    purposes = purposes_at(folder, sources)
    purposes.require(purpose, {record.split(":", 1)[0] for record in (left, right) if right and record})
    view = purposes.purposes[purpose].view
    with opened_store(folder) as operations, open_snapshot(folder) as (wh, _):
        stop = stop_of(wh, view, settings.cluster_stop, "published")
        at = Looked(view, operations.decisions(), "published", stop)
        left = named_record(wh, left, view)
        if right:
            right = named_record(wh, right, view)
            told = explain(wh, left, right, at)
            named = sorted(record_name(operations.keyring, record) for record in (left, right))
            audit.record(operations, acting(folder).login, "pair explained", purpose, records=named)
        else:
            # a record alone stands for the person who holds it
            of_record = "SELECT person_id FROM published.linkage.membership WHERE view = ? AND record_id = ?"
            person = next((person for (person,) in wh.rows(of_record, [view, left])), left)
            told = explain_person(wh, person, at)
            held = wh.rows(
                "SELECT DISTINCT split_part(record_id, ':', 1) FROM published.linkage.membership "
                "WHERE view = ? AND person_id = ?",
                [view, person],
            )
            purposes.require(purpose, {source for (source,) in held})
            audit.record(operations, acting(folder).login, "person explained", purpose, person=person)
    return Answer(told.sentences, told.tables)


def lineage_of(folder: DataFolder, identifier: str, view: str | None = None, purpose: str = "data_quality") -> Answer:
    """What became of an id, from the ledger of the published run; noted in the audit before it is shown."""
    from pipelines.linkage.lineage import resolve

    purposes_at(folder, None).require_view(purpose)
    with open_snapshot(folder) as (wh, _):
        found = resolve(wh, identifier, view, catalog="published")
    with opened_store(folder) as operations:
        audit.record(operations, acting(folder).login, "id resolved", purpose, person=identifier)
    of = "records" if found.kind == "person" else "stays"
    rows = [(e.run, e.event, e.id, e.other_id, e.members, e.reason) for e in found.events]
    data = {"kind": found.kind, "view": found.view, "current": list(found.current), "since": found.since}
    columns = ("run", "event", "id", "other id", of, "reason")
    return Answer(found.said(), [("Ledger", columns, rows)], data | {"parts": list(found.parts)})
