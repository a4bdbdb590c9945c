"""From pseudonyms of one release back to people: by request, capped, approved by another, sealed for one reader."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pyrage

from pipelines.custody.asking import waiting
from pipelines.faults import BoroughlinkError, Refusal
from pipelines.governance import approvals, revealed
from pipelines.governance.actors import acting
from pipelines.governance.approvals import roles_needed
from pipelines.keys.age_keys import age_key
from pipelines.keys.keyring import REVEALING
from pipelines.keys.pseudonyms import PREFIXES
from pipelines.operations import standing_store
from pipelines.releases.series import called
from pipelines.releases.store import find
from pipelines.settings import DataFolder, load_settings
from pipelines.snapshots import open_snapshot
from pipelines.warehouse import Warehouse

KIND, OFFICER = "re-identification", "reid_officer"
CAP = 50  # pseudonyms in one request; more is a linkage, not a question about people
_PSEUDONYM = re.compile(rf"{PREFIXES['person']}[0-9A-HJKMNP-TV-Z]{{26}}")
_SHOWN = ("source", "source_key", "title", "forename", "middle", "surname", "birth_date")


def ask(folder: DataFolder, release_id: str, pseudonyms: Sequence[str], basis: str, reason: str) -> str:
    """Ask who these people are. Raises BoroughlinkError for more than the cap, or what is no person's pseudonym."""
    wanted = sorted({one.strip() for one in pseudonyms})
    if not wanted or len(wanted) > CAP:
        raise Refusal(f"A re-identification is of 1 to {CAP} people; this asks for {len(wanted)}.")
    if wrong := [one for one in wanted if not _PSEUDONYM.fullmatch(one)]:
        raise BoroughlinkError(f"{len(wrong)} of {len(wanted)} are no pseudonym of a person, such as p_ and 26 signs.")
    if len(basis.strip()) < approvals.MIN_REASON:
        raise BoroughlinkError("Give the legal basis on which these people may be named, in a sentence.")
    settings = load_settings(folder)
    with standing_store(folder) as operations:
        find(operations, release_id)
        request = approvals.ask(
            operations, acting(folder), KIND, release_id, reason,
            particulars={"basis": basis.strip(), "pseudonyms": wanted}, roles=roles_needed(settings, OFFICER),
        )  # fmt: skip
    return waiting(request, KIND)


def reveal(folder: DataFolder, request_id: str, reader: str) -> str:
    """Name the people of an approved request in a file that only the reader's key opens, for some days.

    The audit has its entry before the file is there.
    """
    recipient = age_key(reader)
    revealed.sweep(folder)
    with standing_store(folder, REVEALING) as operations, open_snapshot(folder) as (wh, _):
        request = approvals.standing(operations, request_id, KIND, taken_by=acting(folder))
        wanted = list(request.said["pseudonyms"])
        named = called(operations, find(operations, request.object), _people(wh))
        found = {one: named[one] for one in wanted if one in named}
        lost = sorted(set(wanted) - set(found))
        approvals.done(operations, acting(folder), request, people=sorted(found.values()), not_found=len(lost))
        answer = {
            "release": request.object,
            "request": request_id,
            "basis": request.said["basis"],
            "delete_after_days": revealed.DAYS,
            "people": {one: {"person_id": person, "records": _records(wh, person)} for one, person in found.items()},
            "not_found": lost,
        }
    sealed = pyrage.encrypt(json.dumps(answer, indent=1, default=str).encode(), [recipient])
    path = revealed.keep(folder, request_id, sealed)
    return (
        f"{len(found)} of {len(wanted)} people are named in {path}, which only the reader's key opens "
        f"(`age -d -i KEYFILE`). It is removed after {revealed.DAYS} days."
    )


def _people(wh: Warehouse) -> list[str]:
    """Every person id that is, or once was: a release may be older than the last merge."""
    ids = "SELECT person_id FROM published.linkage.membership"
    if wh.exists("published.linkage.ledger"):
        ids += " UNION SELECT person_id FROM published.linkage.ledger"
    return [str(one) for (one,) in wh.rows(f"SELECT DISTINCT person_id FROM ({ids}) ORDER BY 1")]


def _records(wh: Warehouse, person_id: str) -> list[dict[str, Any]]:
    columns = [name for name in _SHOWN if name in wh.columns("published.people.record")]
    rows = wh.rows(
        f"-- a record of the person (record_id)\nSELECT {', '.join(f'r.{name}' for name in columns)} "
        "FROM published.people.record r WHERE record_id IN "
        "(SELECT record_id FROM published.linkage.membership WHERE person_id = ?) ORDER BY ALL",
        [person_id],
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]
