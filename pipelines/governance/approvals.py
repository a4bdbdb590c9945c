"""Four eyes: an act that one person asks for and another approves, for every room that has such acts.

`ask` → `approve` or `refuse` → `standing` just before the act → `done` after it. What is approved is fixed by a mark (a
hash of the particulars, or of the thing itself), so that an approval never covers something else. Reasons and
particulars lie sealed in a payload and can be erased; the audit holds who, what kind, which object, and the outcome.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pipelines.faults import BoroughlinkError
from pipelines.governance import anchors, audit
from pipelines.governance.actors import Actor
from pipelines.keys.row_macs import MAC, RowChanged, as_written, rewrite
from pipelines.keys.sealed_texts import opened
from pipelines.operations import Operations, timestamp
from pipelines.settings import Settings
from pipelines.store_tables import payload_table, request_table

#: Days for which a request waits for its answer, and an approval for its act.
DAYS = 14
MIN_REASON = 10  # characters; "x" is no reason


def roles_needed(settings: Settings, *names: str) -> frozenset[str]:
    """The roles one of which an approver must hold: over invented data only where the settings name somebody for one of
    them."""
    return frozenset(names) if settings.holds == "real" or set(names) & set(settings.roles) else frozenset()


class ApprovalRefused(BoroughlinkError):
    """An act lacks a second person's consent, or the one who would give it may not."""


@dataclass(frozen=True)
class Request:
    """One act that was asked for. `said` holds reason, basis and particulars; empty once erased. Whoever answers holds
    one of `roles`, if there are any."""

    request_id: str
    kind: str
    object: str
    state: str
    requested_by: str
    requested_as: frozenset[str]
    requested_at: str
    expires: str
    mark: str
    roles: frozenset[str]
    answered_by: str | None
    answered_at: str | None
    said: Mapping[str, Any]

    @property
    def answered_in(self) -> str:
        """In which role it can be answered, in words."""
        return " or ".join(role.replace("_", " ") for role in sorted(self.roles)) or "anyone else"

    @property
    def expired(self) -> bool:
        return self.state in ("waiting", "approved") and timestamp() > self.expires


def mark_of(particulars: Mapping[str, Any]) -> str:
    """The mark of particulars: the same for the same, whatever their order."""
    return hashlib.sha256(json.dumps(particulars, sort_keys=True, default=str).encode()).hexdigest()


def ask(
    operations: Operations,
    who: Actor,
    kind: str,
    subject: str,
    reason: str,
    *,
    particulars: Mapping[str, Any] | None = None,
    mark: str | None = None,
    roles: Iterable[str] = (),
    days: int = DAYS,
) -> str:
    """Ask for an act; returns the id of the request.

    `subject` is a random id or a name of ours and goes into the audit; reason and particulars are sealed. `mark`
    defaults to that of the particulars. With `roles`, only who holds one of them may answer.
    """
    if len(reason.strip()) < MIN_REASON:
        raise BoroughlinkError("Give a reason that the second person can judge by, in a sentence.")
    request_id = secrets.token_hex(16)
    said = {"reason": reason.strip(), **(particulars or {})}
    expires = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="milliseconds")
    row = {
        "request_id": request_id,
        "kind": kind,
        "object": subject,
        "state": "waiting",
        "requested_by": who.login,
        "requested_as": json.dumps(sorted(who.names)),
        "requested_at": timestamp(),
        "expires": expires,
        "mark": mark or mark_of(particulars or {}),
        "roles": json.dumps(sorted(roles)),
    }
    with operations.begin() as db:
        row["said"] = operations.seal(db, json.dumps(said, default=str))
        operations.write_rows(db, request_table, [row])
        audit.append(operations, db, who.login, f"{kind} requested", subject, request=request_id)
    return request_id


def approve(operations: Operations, who: Actor, request_id: str) -> Request:
    """Approve a request that another person made. Raises ApprovalRefused, and enters that too in the audit."""
    return _answer(operations, who, request_id, "approved")


def refuse(operations: Operations, who: Actor, request_id: str) -> Request:
    """Turn a request down, as another person's answer. Raises ApprovalRefused."""
    return _answer(operations, who, request_id, "refused")


def standing(
    operations: Operations, request_id: str, kind: str, mark: str | None = None, taken_by: Actor | None = None
) -> Request:
    """The request, if its act may be done now: approved by another, in time, for this very thing; and not used yet, by
    an audit that is whole. What it tells of people is taken by one of those two.

    Raises ApprovalRefused, and enters that in the audit; BoroughlinkError when the audit can't be anchored.
    """
    request = find(operations, request_id)
    why = None
    if request.kind != kind:
        why = f"request {request_id} is for another act ({request.kind})"
    elif request.state != "approved":
        why = {
            "waiting": "nobody has approved it yet",
            "refused": "it was refused",
            "done": "it was used already",
        }[request.state]
    elif request.answered_by is None or request.answered_by in request.requested_as:
        why = "it has no second person's approval"
    elif _told(operations, request) != [(request.answered_by, f"{kind} approved")]:
        why = "the audit tells of it otherwise than the store: an older state was put back"
    elif request.expired:
        why = f"its approval ended on {request.expires[:10]}; ask again"
    elif mark is not None and mark != request.mark:
        why = "what it was approved for has changed since; ask again"
    elif taken_by is not None and not taken_by.is_one_of(request.requested_as | {request.answered_by}):
        why = "the answer is for whoever asked or approved"
    elif (broken := audit.verify(operations, anchors.known(operations))[1]) is not None:
        why = f"the audit is not whole from entry {broken} on, so nobody can say whether it was used"
    if why:
        denied = taken_by.login if taken_by else request.requested_by
        audit.record(operations, denied, f"{kind} denied", request.object, request=request_id, why=why)
        raise ApprovalRefused(f"{kind.capitalize()}: {why}.")
    anchors.anchor(operations)
    return request


def done(operations: Operations, who: Actor, request: Request, **detail: Any) -> None:
    """Use an approval up, once; the audit says that the act was done. Raises ApprovalRefused if it was used already."""
    with operations.begin() as db:
        used = _moved(operations, db, request.request_id, "approved", state="done")
        if used:
            event = f"{request.kind} done"
            audit.append(operations, db, who.login, event, request.object, request=request.request_id, **detail)
    if not used:
        raise ApprovalRefused(f"{request.kind.capitalize()}: request {request.request_id} was used already.")
    anchors.anchor(operations)


def find(operations: Operations, request_id: str) -> Request:
    """One request by its id. Raises BoroughlinkError, RowChanged for one that somebody changed by hand."""
    as_it_was = True
    with operations.begin() as db:
        for row in db.execute(sa.select(request_table).where(request_table.c.request_id == request_id)).mappings():
            as_it_was = as_written(operations.keyring, request_table, row)
    if not as_it_was:
        audit.record(operations, "boroughlink", "request denied", request_id, why="the row is not as it was written")
        raise RowChanged(request_table.name, request_id)
    for request in requests(operations, request_id=request_id):
        return request
    raise BoroughlinkError("There is no such request; `boroughlink requests` lists those that wait.")


def _told(operations: Operations, request: Request) -> list[tuple[str, str]]:
    """What the audit says that became of a request: who, and what."""
    events = [f"{request.kind} {became}" for became in ("approved", "refused", "done")]
    found = audit.entries(operations, events)
    return [(one["actor"], one["event"]) for one in found if one["detail"].get("request") == request.request_id]


def requests(
    operations: Operations, kind: str | None = None, state: str | None = None, request_id: str | None = None
) -> list[Request]:
    """Requests, newest first."""
    select = sa.select(request_table, payload_table.c.sealed).join(
        payload_table, payload_table.c.payload_id == request_table.c.said
    )
    for column, value in ((request_table.c.kind, kind), (request_table.c.state, state)):
        select = select.where(column == value) if value else select
    if request_id is not None:
        select = select.where(request_table.c.request_id == request_id)
    with operations.begin() as db:
        rows = db.execute(select.order_by(request_table.c.requested_at.desc())).mappings().all()
    return [_opened(operations, dict(row)) for row in rows]


def _opened(operations: Operations, row: dict[str, Any]) -> Request:
    sealed, payload_id = row.pop("sealed"), row["said"]
    del row[MAC]
    said = json.loads(opened(operations.keyring, payload_id, sealed) or b"{}")
    sets = {name: frozenset(json.loads(row[name])) for name in ("requested_as", "roles")}
    return Request(**row | sets | {"said": said})


def _moved(operations: Operations, db: sa.Connection, request_id: str, before: str, **new: str) -> bool:
    """Change a request that is in that state still; two who change it at once don't both."""
    read = sa.select(request_table).where(request_table.c.request_id == request_id, request_table.c.state == before)
    row = db.execute(read).mappings().first()
    return row is not None and rewrite(
        db, operations.keyring, request_table, row, request_table.c.state == before, **new
    )


def _answer(operations: Operations, who: Actor, request_id: str, state: str) -> Request:
    request = find(operations, request_id)
    why = None
    if who.is_one_of(request.requested_as):
        why = "whoever asks can't answer: another person must"
    elif not who.proven:
        why = "in a user namespace anyone can bear anyone's name: answer outside it, or in the review app"
    elif request.state != "waiting":
        why = f"request {request_id} is {request.state} already"
    elif request.expired:
        why = f"the request ended on {request.expires[:10]}; ask again"
    elif request.roles and not who.roles & request.roles:
        named = " or ".join(f"`{role}`" for role in sorted(request.roles))
        why = f"the answer is for those in the role {named}, whom the settings name under `roles`"
    if why is None:
        with operations.begin() as db:
            answer = {"state": state, "answered_by": who.login, "answered_at": timestamp()}
            changed = _moved(operations, db, request_id, "waiting", **answer)
            if changed:
                audit.append(operations, db, who.login, f"{request.kind} {state}", request.object, request=request_id)
        if changed:
            return find(operations, request_id)
        why = f"request {request_id} was answered meanwhile"
    verb = "approval" if state == "approved" else "refusal"
    audit.record(operations, who.login, f"{request.kind} {verb} denied", request.object, request=request_id, why=why)
    raise ApprovalRefused(f"{request.kind.capitalize()}: {why}.")
