"""Who looked at a person: entries of the audit that name them by any of their ids, or by a keyed name of a record."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.governance import audit
from pipelines.keys.keyring import Keyring
from pipelines.keys.pseudonyms import record_name
from pipelines.operations import Operations
from pipelines.warehouse import Warehouse

#: Events by which many people were read at once: they concern everyone who was published then.
IN_BULK = ("clusters exported", "label sample exported", "flagged pairs exported", "exports written")

Entry = dict[str, Any]


@dataclass(frozen=True)
class Looks:
    """Entries about a person by name, oldest first, and those by which many left at once."""

    about: list[Entry]
    in_bulk: list[Entry]


def names_of(wh: Warehouse | None, keyring: Keyring, asked: str) -> set[str]:
    """What the audit may call the person of a person's or record's id: ids of now and before in every view, by the
    ledger, and keyed names of all records. Where an id's records were divided, all who took some are meant.

    Without a snapshot (nothing is published), by the id alone.
    """
    names = {asked, record_name(keyring, asked)}
    if wh is None:
        return names
    ledger = "published.linkage.ledger"
    gave = (
        f"SELECT DISTINCT view, person_id AS took, other_person_id AS gave FROM {ledger} "
        "WHERE event IN ('merged', 'split', 'joined') AND other_person_id IS NOT NULL"
        if wh.exists(ledger)
        else "SELECT NULL::VARCHAR AS view, NULL::VARCHAR AS took, NULL::VARCHAR AS gave LIMIT 0"
    )
    rows = wh.rows(
        f"""-- an id that the person bears or bore in any view, or one of their records (name)
        WITH RECURSIVE gave AS ({gave}),
        -- who holds today what the asked id held
        heir(id) AS (SELECT $asked UNION SELECT gave.took FROM heir JOIN gave ON gave.gave = heir.id),
        held AS (
            SELECT record_id FROM published.linkage.membership WHERE record_id IN (
                SELECT record_id FROM published.linkage.membership
                WHERE record_id = $asked OR person_id IN (SELECT id FROM heir))
        ),
        today AS (
            SELECT DISTINCT person_id FROM published.linkage.membership
            WHERE record_id IN (SELECT record_id FROM held)
        ),
        -- whose records came to them
        before(id) AS (
            SELECT person_id FROM today UNION SELECT id FROM heir
            UNION SELECT gave.gave FROM before JOIN gave ON gave.took = before.id
        )
        SELECT id, NULL FROM before
        UNION ALL
        SELECT NULL, record_id FROM published.linkage.membership WHERE person_id IN (SELECT person_id FROM today)""",
        {"asked": asked},
    )
    return names.union(person or record_name(keyring, record) for person, record in rows)


def looks_at(operations: Operations, names: set[str]) -> Looks:
    """Every entry that holds one of these names; and the exports of many."""
    every = audit.entries(operations)
    return Looks(
        [entry for entry in every if not names.isdisjoint(_said(entry))],
        [entry for entry in every if entry["event"] in IN_BULK],
    )


def _said(entry: Entry) -> Iterator[str]:
    """Every text that an entry holds."""
    yield entry["object"]
    waiting = [entry["detail"]]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            yield value
