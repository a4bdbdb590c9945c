"""Flagged pairs: the list, a case, unmasking, the export."""

import secrets
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from pipelines.exports import NO_ASSUMPTION, Stamp, write_csv, write_xlsx
from pipelines.governance.approvals import MIN_REASON
from pipelines.keys.pseudonyms import record_name
from review_app.desk import At, Form, House, needs, said, session_of
from review_app.flagged import OUTCOMES, STATES, Filter, Flag, add_events, events, flag, flags, notes_of
from review_app.published import Snapshot
from review_app.roles import User
from review_app.security import Refused

router = APIRouter()
Officer = Annotated[User, Depends(needs("flagged"))]
PAGE = 25
OPEN_MINUTES = 15
TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8"}


@router.get("/flagged")
def listed(request: Request, held: At, user: Officer, page: str = "1") -> Response:
    """Pairs worth a look, in order of expected value, masked."""
    chosen = _filter(request)
    with held.read() as snapshot:
        every = flags(snapshot, held.operations, user)
        today = snapshot.wh.as_of
        found = [each for each in every if chosen.admits(each, today)]
        number = min(max(int(page), 1) if page.isdecimal() and len(page) < 6 else 1, max(-(-len(found) // PAGE), 1))
        held.note(user, "flagged pairs listed", snapshot.run_id, pairs=len(found))
        query = urlencode({name: value for name, value in request.query_params.items() if name != "page"})
        return held.page(
            request, "app/flagged/list.html",
            found=found[(number - 1) * PAGE : number * PAGE], total=len(found), every=len(every), number=number,
            pages=max(-(-len(found) // PAGE), 1), query=query, chosen=chosen, states=STATES, today=today,
            rules=sorted({(each.raw["rule"], each.title) for each in every}),
            wards=sorted({each.raw["ward"] for each in every if each.raw["ward"]}),
            owners=sorted({each.case.owner for each in every if each.case.owner}),
            worth=sum(float(each.raw["expected_retained"] or 0) for each in found), notice=NO_ASSUMPTION,
        )  # fmt: skip


@router.post("/flagged/export")
def export(request: Request, held: At, user: Officer, form: Form) -> Response:
    """The filtered list as a file: masked, or with a reason by name and with what officers noted."""
    kind, reason = said(form, "kind"), said(form, "reason")
    by_name = said(form, "names") == "on"
    if kind not in TYPES or (by_name and len(reason) < MIN_REASON):
        raise Refused(422, "The file was not made", "Names need a reason of a sentence, which goes into the audit.")
    with held.read() as snapshot:
        chosen = _chosen({name: said(form, name, 80) for name in Filter.__dataclass_fields__})
        found = [each for each in flags(snapshot, held.operations, user) if chosen.admits(each, snapshot.wh.as_of)]
        if by_name:
            found = [Flag(each.raw, each.title, each.case, True) for each in found]
        why = held.sealed(reason) if by_name else None
        held.note(user, "flagged pairs exported", snapshot.run_id, pairs=len(found), by_name=by_name, reason=why)
        name = f"flagged-pairs-{snapshot.run_id}.{kind}"
        body = _file(held, snapshot, found, kind)
    return Response(body, media_type=TYPES[kind], headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get("/flagged/{flag_id}")
def case(request: Request, held: At, user: Officer, flag_id: str) -> Response:
    """One pair: why it was flagged, what speaks for and against, what was done."""
    with held.read() as snapshot:
        return _case(request, held, snapshot, user, flag_id)


@router.post("/flagged/{flag_id}")
def work(request: Request, held: At, user: Officer, flag_id: str, form: Form) -> Response:
    """A step on the case."""
    with held.read() as snapshot:
        found = flag(snapshot, held.operations, user, flag_id)
        if found is None:
            raise _gone()
        told = _told(found, user, form)
        if isinstance(told, str):
            return _case(request, held, snapshot, user, flag_id, told, 422)
        add_events(held.operations, flag_id, user.name, told)
        if any(each["kind"] == "outcome" and each["value"] == "two_people" for each in told):
            _keep_apart(held, snapshot, found, user)
    request.session["flash"] = {"text": "Saved."}
    return RedirectResponse(f"/flagged/{flag_id}", 303)


@router.post("/flagged/{flag_id}/unmask")
def unmask(request: Request, held: At, user: Officer, flag_id: str, form: Form) -> Response:
    """Show who it is, for a while, once a reason stands in the audit."""
    reason = said(form, "reason")
    with held.read() as snapshot:
        found = flag(snapshot, held.operations, user, flag_id)
        if found is None:
            raise _gone()
        if len(reason) < MIN_REASON:
            wrong = "Say in a sentence why you need to see who it is."
            return _case(request, held, snapshot, user, flag_id, wrong, 422)
        add_events(held.operations, flag_id, user.name, [{"kind": "unmask", "note": reason}])
        held.note(user, "flagged pair unmasked", flag_id, run=snapshot.run_id, records=_named(held, found))
    if session := session_of(request):
        session.shown = (flag_id, time.monotonic() + OPEN_MINUTES * 60)
    return RedirectResponse(f"/flagged/{flag_id}", 303)


def _case(
    request: Request, held: House, snapshot: Snapshot, user: User, flag_id: str, error: str = "", status: int = 200
) -> Response:
    session = session_of(request)
    is_open = session is not None and session.shown[0] == flag_id and session.shown[1] > time.monotonic()
    found = flag(snapshot, held.operations, user, flag_id, is_open)
    if found is None:
        raise _gone()
    named = _named(held, found)
    held.note(user, "flagged pair viewed", flag_id, run=snapshot.run_id, masked=not is_open, records=named)
    return held.page(
        request, "app/flagged/case.html", status, flag=found, history=events(held.operations, flag_id), states=STATES,
        outcomes=OUTCOMES, error=error, notice=NO_ASSUMPTION, minutes=OPEN_MINUTES, today=snapshot.wh.as_of,
        run=snapshot.run_id,
    )  # fmt: skip


def _named(held: House, found: Flag) -> list[str]:
    return [record_name(held.operations.keyring, record) for record in found.records]


def _gone() -> Refused:
    return Refused(
        404, "This pair is not in the published run", "A newer run no longer flags it, or the address is mistyped."
    )


def _told(found: Flag, user: User, form: dict[str, list[str]]) -> list[dict[str, Any]] | str:
    """The events that a posted step stands for, or what is wrong with it."""
    step, note = said(form, "step"), said(form, "note")
    noted = [{"kind": "note", "note": note}] if note else []
    match step:
        case "take":
            return [{"kind": "owner", "value": user.name}, {"kind": "state", "value": "assigned"}, *noted]
        case "give_back":
            return [{"kind": "owner", "value": None}, {"kind": "state", "value": "new"}, *noted]
        case "enquire":
            owner = [] if found.case.owner else [{"kind": "owner", "value": user.name}]
            return [*owner, {"kind": "state", "value": "enquiring"}, *noted]
        case "note":
            return noted or "Write the note first."
        case "reopen":
            return [{"kind": "state", "value": "enquiring"}, {"kind": "outcome", "value": None}, *noted]
        case "close":
            outcome, amount = said(form, "outcome"), said(form, "amount", 20).replace(",", "").lstrip("£")
            if outcome not in OUTCOMES:
                return "Choose what came of it before you close it."
            try:
                pounds = Decimal(amount).quantize(Decimal("0.01")) if amount else None
            except InvalidOperation:
                return "The amount is a number of pounds, such as 1250.00."
            if pounds is not None and not (pounds.is_finite() and 0 <= pounds < 10**8):
                return "The amount is a number of pounds, such as 1250.00."
            closed = {"kind": "outcome", "value": outcome, "amount": pounds}
            return [closed, {"kind": "state", "value": "closed"}, *noted]
        case _:
            return "Choose one of the steps."


def _keep_apart(held: House, snapshot: Snapshot, found: Flag, user: User) -> None:
    """An officer found out that the two records are two people: the linkage learns of it."""
    left, right = found.raw["subject_record_id"], found.raw["other_record_id"]
    if not left or not right or left == right:
        return
    seen = dict(
        snapshot.wh.rows(
            "SELECT record_id, fingerprint FROM published.people.record WHERE record_id IN (?, ?)", [left, right]
        )
    )
    decision = {
        "kind": "cannot_link", "record_l": left, "record_r": right, "fingerprint_l": seen.get(left),
        "fingerprint_r": seen.get(right), "model_version": snapshot.model_version,
        "reason": f"flagged pair {found.flag_id}: two different people",
    }  # fmt: skip
    batch = secrets.token_hex(16)
    added = held.operations.add_decisions([decision], user.name, batch)
    held.note(user, "flagged pair kept apart", found.flag_id, batch=batch, decisions=added)


def _filter(request: Request) -> Filter:
    return _chosen({name: request.query_params.get(name, "")[:80] for name in Filter.__dataclass_fields__})


def _chosen(given: dict[str, str]) -> Filter:
    def number(name: str) -> int:
        return int(given[name]) if given[name].isdecimal() and len(given[name]) < 9 else 0

    return Filter(
        given["rule"], given["state"], given["owner"], given["ward"], given["strength"], number("least"), number("days")
    )


def _file(held: House, snapshot: Snapshot, found: Sequence[Flag], kind: str) -> bytes:
    heads = (
        "Order", "Pair", "Rule", "Strength", "What was seen", "Evidence for a look", "Evidence against",
        "Expected value kept, pounds", "Value, pounds", "Ward", "Source", "Reference", "Name", "Address", "Since",
        "Other source", "Other reference", "Other name", "Other address", "Other since", "State", "Owner", "Outcome",
        "Outcome, pounds", "Last worked on", "Notes", "Notice",
    )  # fmt: skip
    notes = notes_of(held.operations, {each.flag_id for each in found if each.open})
    rows = []
    for each in found:
        one, other = each.side("subject"), each.side("other")
        rows.append(
            (
                each.raw["position"], each.flag_id, each.title, each.raw["strength"], each.sentence,
                " ".join(map(each.said, each.raw["evidence_for"] or [])),
                " ".join(map(each.said, each.raw["evidence_against"] or [])),
                each.raw["expected_retained"], each.raw["value_gross"], each.raw["ward"],
                *(one[name] for name in ("source", "ref", "name", "address", "since")),
                *(other[name] for name in ("source", "ref", "name", "address", "since")),
                STATES[each.case.state], each.case.owner, OUTCOMES.get(each.case.outcome or "", ""), each.case.amount,
                (each.case.updated_at or "")[:10], " / ".join(notes.get(each.flag_id, ())), NO_ASSUMPTION,
            )
        )  # fmt: skip
    expires = snapshot.wh.as_of + timedelta(days=held.settings.export_days)
    stamp = Stamp("fraud", snapshot.run_id, expires, NO_ASSUMPTION)
    with tempfile.TemporaryDirectory(dir=held.folder.temp) as place:
        path = Path(place) / f"pairs.{kind}"
        if kind == "csv":
            write_csv(path, heads, rows, stamp)
        else:
            write_xlsx(path, heads, rows, stamp, "Flagged pairs")
        return path.read_bytes()
