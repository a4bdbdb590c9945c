"""Requests as people see them: which wait, what they are about, and their answers."""

from pipelines.governance import approvals, audit
from pipelines.governance.actors import acting
from pipelines.governance.approvals import Request
from pipelines.governance.erasure_grounds import KIND
from pipelines.operations import standing_store
from pipelines.reading.answer import Answer
from pipelines.settings import DataFolder


def listed(folder: DataFolder, every: bool) -> Answer:
    """The requests that wait or may be acted upon, or every one; without reasons and particulars."""
    with standing_store(folder) as operations:
        found = approvals.requests(operations)
    live = [one for one in found if every or (one.state in ("waiting", "approved") and not one.expired)]
    rows = [
        (
            one.request_id,
            one.kind,
            one.object,
            "ended" if one.expired else one.state,
            one.requested_by,
            one.requested_at[:16],
            one.answered_by or "",
            one.expires[:10],
            one.answered_in,
        )
        for one in live
    ]
    columns = ("request", "act", "of", "state", "asked by", "asked at", "answered by", "until", "who may answer")
    return Answer(() if rows else ("Nothing waits for a second person.",), [("Requests", columns, rows)])


def shown(folder: DataFolder, request_id: str) -> Answer:
    """One request with its reason and particulars; noted in the audit before it is shown."""
    with standing_store(folder) as operations:
        one = approvals.find(operations, request_id)
        audit.record(operations, acting(folder).login, "request read", one.object, request=request_id, act=one.kind)
    said = [f"{one.kind} of {one.object}, asked by {one.requested_by} on {one.requested_at[:16]}: {one.state}."]
    rows = [(name, value) for name, value in one.said.items()]
    return Answer(said, [("What is asked", ("", "said"), rows)] if rows else ())


def answered(folder: DataFolder, request_id: str, yes: bool, kind: str | None = None) -> str:
    """Approve or refuse, as the person at the command line."""
    with standing_store(folder) as operations:
        if kind is not None and approvals.find(operations, request_id).kind != kind:
            raise approvals.ApprovalRefused(f"Request {request_id} is for another act: see `boroughlink requests`.")
        if not yes and approvals.find(operations, request_id).kind == KIND:
            raise approvals.ApprovalRefused("An erasure is refused on a ground of the law: `boroughlink erase refuse`.")
        answer = approvals.approve if yes else approvals.refuse
        given = answer(operations, acting(folder), request_id)
    what = f"{given.kind.capitalize()} of {given.object}"
    return f"{what}: {given.state} by {given.answered_by}, until {given.expires[:10]}."


def waiting(request: str, act: Request | str) -> str:
    """What to say once something was asked for."""
    kind = act if isinstance(act, str) else act.kind
    return (
        f"{kind.capitalize()} asked for: request {request}. Another person answers it with "
        f"`boroughlink requests approve {request}`."
    )
