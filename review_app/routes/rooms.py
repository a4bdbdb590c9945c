"""The quieter rooms: quality, linkage, agreement, search."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from pipelines.faults import BoroughlinkError
from pipelines.governance.approvals import MIN_REASON
from pipelines.keys.pseudonyms import record_name
from pipelines.source_faults import BECAME, KINDS, close_fault, opened_fault, reported_faults
from review_app.agreement import agreement
from review_app.answers import WORDS
from review_app.desk import At, Form, House, needs, said, slow_searches
from review_app.gold import known_labels
from review_app.kin import kept_from
from review_app.linkage_report import keep
from review_app.published import Snapshot
from review_app.roles import User
from review_app.searching import NOBODY, names_somebody, search
from review_app.security import Refused

router = APIRouter()
PRINCIPLES = ("accurate", "valid", "reliable", "timely", "relevant", "complete")


@router.get("/quality")
def quality(request: Request, held: At, user: Annotated[User, Depends(needs("quality"))]) -> Response:
    """Each source against the six principles."""
    with held.read() as snapshot:
        scores = _scorecard(held, snapshot)
        first = _published(held, snapshot, "what_first.json") or []
        return held.page(
            request, "app/rooms/quality.html", scores=scores, first=first, principles=PRINCIPLES, run=snapshot.run_id
        )


@router.get("/quality/{source}")
def quality_of(request: Request, held: At, user: Annotated[User, Depends(needs("quality"))], source: str) -> Response:
    """One source: its rules, failing ones first."""
    with held.read() as snapshot:
        scores = _scorecard(held, snapshot)
        found = next((each for each in scores["sources"] if each["source"] == source), None)
        if found is None:
            raise Refused(404, "There is no such source", "The scorecard lists those that the run knows.")
        faults = _faults(held, snapshot, user, source) if user.may("faults") else []
        return held.page(
            request, "app/rooms/source.html", source=found, run=snapshot.run_id, faults=faults, became=BECAME
        )


@router.post("/quality/{source}/faults")
def close(
    request: Request, held: At, user: Annotated[User, Depends(needs("faults"))], source: str, form: Form
) -> Response:
    """Note what became of a reported fault."""
    number = said(form, "fault")
    known = {str(fault.fault_id) for fault in reported_faults(held.operations, source)}
    try:
        if number not in known:
            raise BoroughlinkError("That fault does not stand: somebody closed it before you.")
        close_fault(held.operations, int(number), said(form, "became"), said(form, "done"), user.name)
    except BoroughlinkError as fault:
        raise Refused(422, "Nothing was changed", str(fault)) from None
    request.session["flash"] = {"text": "Noted: " + BECAME[said(form, "became")] + "."}
    return RedirectResponse(f"/quality/{source}", 303)


def _faults(held: House, snapshot: Snapshot, user: User, source: str) -> list[dict[str, Any]]:
    """The reported faults of a source that stand, each with its record and note unless they are sealed or erased."""
    found = []
    for fault in reported_faults(held.operations, source):
        held.note(user, "source fault opened", str(fault.fault_id))
        opened = opened_fault(held.operations, fault.fault_id)
        plain = opened and snapshot.wh.rows(
            "SELECT source_key FROM published.people.record WHERE record_id = ? AND sensitivity IS NULL",
            [opened.record_id],
        )
        found.append({"fault": fault, "words": KINDS[fault.kind][0], "key": plain[0][0] if plain else None,
                      "note": opened.note if opened and plain else ""})  # fmt: skip
    return found


def _scorecard(held: House, snapshot: Snapshot) -> dict[str, Any]:
    return _published(held, snapshot, "scorecard.json") or {"sources": [], "run_id": snapshot.run_id}


def _published(held: House, snapshot: Snapshot, name: str) -> Any:
    """What a file of the published run holds, None if the run wrote none."""
    path = held.folder.published / snapshot.run_id / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


@router.get("/linkage")
def linkage(request: Request, held: At, user: Annotated[User, Depends(needs("linkage"))]) -> Response:
    """What was linked, how surely, what waits."""
    with held.read() as snapshot:
        return held.page(request, "app/rooms/linkage.html", told=keep(snapshot), run=snapshot.run_id)


@router.get("/agreement")
def agreeing(request: Request, held: At, user: Annotated[User, Depends(needs("agreement"))]) -> Response:
    """How far reviewers agree; counts, never a league table."""
    return held.page(
        request, "app/rooms/agreement.html", told=agreement(held.operations, known_labels(held)), words=WORDS
    )


@router.get("/search")
def searching(request: Request, held: At, user: Annotated[User, Depends(needs("search"))]) -> Response:
    """A person by name, with a reason."""
    return held.page(request, "app/rooms/search.html", found=[], wanted={}, reason="", asked=False, error="")


@router.post("/search")
def searched(request: Request, held: At, user: Annotated[User, Depends(needs("search"))], form: Form) -> Response:
    """What was found; noted before it is shown, with the reason sealed."""
    wanted = {name: said(form, name, 80) for name in ("surname", "forename", "year", "postcode")}
    reason = said(form, "reason", 500)
    wrong = ""
    if not names_somebody(wanted):
        wrong = NOBODY
    elif len(reason) < MIN_REASON:
        wrong = "Say in a sentence why you look for this person. It goes into the audit."
    if wrong:
        return held.page(
            request, "app/rooms/search.html", 422, found=[], wanted=wanted, reason=reason, asked=False, error=wrong,
        )  # fmt: skip
    slow_searches(held, user)
    with held.read() as snapshot:
        rows = search(snapshot, wanted, kept_from(held.operations, snapshot, user))
        named = sorted(record_name(held.operations.keyring, record.record_id) for record in rows)
        held.note(user, "person searched", snapshot.run_id, reason=held.sealed(reason), records=named)
        return held.page(
            request, "app/rooms/search.html", found=rows, wanted=wanted, reason=reason, asked=True, error=""
        )
