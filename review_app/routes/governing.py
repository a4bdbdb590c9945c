"""Rooms of those who run the machine and those who watch over it: runs, approvals, audit."""

import csv
import io
import json
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from pipelines.commit_point import Current, run_under_way
from pipelines.exports import safe_cell
from pipelines.faults import BoroughlinkError
from pipelines.governance import anchors, approvals, audit, looks
from pipelines.governance.actors import Actor, actor, canonical
from pipelines.governance.erasure_grounds import KEPT_BECAUSE, KIND, refuse_erasure
from pipelines.keys.pseudonyms import record_name
from pipelines.snapshots import NothingPublished
from pipelines.store_tables import audit_table
from review_app.desk import At, Form, House, needs, said
from review_app.roles import User
from review_app.security import Refused
from review_app.starting import difference, start, started, stop

router = APIRouter()
Runner = Annotated[User, Depends(needs("runs"))]
Approver = Annotated[User, Depends(needs("approvals"))]
Auditor = Annotated[User, Depends(needs("audit"))]
PAGE = 50


@router.get("/runs")
def runs(request: Request, held: At, user: Runner, compare: str = "") -> Response:
    """What ran, what runs, what failed and what to do."""
    rows = []
    for run in held.operations.runs()[:25]:
        told = json.loads(run["summary"] or "{}")
        longest = max(told.get("timings", []), key=lambda step: step["seconds"], default=None)
        rows.append(run | {"why": told.get("why", ""), "took": _took(run), "longest": longest})
    return held.page(
        request, "app/rooms/runs.html", runs=rows, under_way=run_under_way(held.folder), last=started(held.folder),
        published=Current.read(held.folder).published, told=difference(held.folder) if compare == "1" else None,
    )  # fmt: skip


def _took(run: dict[str, Any]) -> str:
    """From the start of a run to its end, in words; nothing for one under way."""
    if not run["ended_at"]:
        return ""
    seconds = (datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["started_at"])).total_seconds()
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


@router.post("/runs")
def run(request: Request, held: At, user: Runner, form: Form) -> Response:
    """Start, preview or stop."""
    match said(form, "what"):
        case "start" | "again" | "preview" as what:
            why = start(held.folder, user.name, what == "preview", what == "again")
            if why is None:
                held.note(user, "run asked for", what)
            request.session["flash"] = {"text": why or "Started. This page shows how far it is."}
        case "stop":
            stopped = stop(held.folder)
            if stopped:
                held.note(user, "run stopped", "run")
            request.session["flash"] = {
                "text": "Stopping. The last good state was never touched." if stopped else "Nothing is running."
            }
        case _:
            raise Refused(422, "Nothing was started", "Choose one of the buttons on the page.")
    return RedirectResponse("/runs", 303)


@router.get("/approvals")
def inbox(request: Request, held: At, user: Approver) -> Response:
    """Acts that wait for a second person; why, and of whom, is told to those alone who may answer or asked."""
    found = approvals.requests(held.operations)
    who = _actor(held, user)
    told = {
        one.request_id for one in found if not one.roles or one.roles & who.roles or who.is_one_of(one.requested_as)
    }
    held.note(user, "approvals viewed", "requests", waiting=sum(each.state == "waiting" for each in found))
    return held.page(
        request, "app/rooms/approvals.html", waiting=[each for each in found if each.state == "waiting"],
        past=[each for each in found if each.state != "waiting"][:30], who=who, told=told, exemptions=KEPT_BECAUSE,
        erasure=KIND,
    )  # fmt: skip


@router.post("/approvals/{request_id}")
def answer(request: Request, held: At, user: Approver, request_id: str, form: Form) -> Response:
    """Approve or refuse, as another person than who asked."""
    verb = {"approve": approvals.approve, "refuse": approvals.refuse}.get(said(form, "answer"))
    if verb is None:
        raise Refused(422, "Nothing was answered", "Choose approve or refuse.")
    who, asked = _actor(held, user), request_id[:64]
    try:
        if verb is approvals.refuse and approvals.find(held.operations, asked).kind == KIND:
            refuse_erasure(held.operations, who, asked, said(form, "exemption"), said(form, "because", 2000))
        else:
            verb(held.operations, who, asked)
        request.session["flash"] = {"text": "Answered, and noted in the audit."}
    except BoroughlinkError as fault:
        request.session["flash"] = {"text": f"Not answered. {fault}"}
    return RedirectResponse("/approvals", 303)


def _actor(held: House, user: User) -> Actor:
    """The user as the person that the acts of two know."""
    known = actor(user.name, held.settings)
    return Actor(canonical(user.name, held.settings), known.roles | user.roles)


@router.get("/audit")
def entries(request: Request, held: At, user: Auditor, actor: str = "", event: str = "", before: str = "") -> Response:
    """Who did what and looked at what, the newest first."""
    query = sa.select(audit_table).order_by(audit_table.c.seq.desc())
    if actor:
        query = query.where(audit_table.c.actor == actor[:120])
    if event:
        query = query.where(audit_table.c.event == event[:60])
    if before.isdecimal() and len(before) < 15:
        query = query.where(audit_table.c.seq < int(before))
    with held.operations.begin() as db:
        found = db.execute(query.limit(PAGE)).mappings()
        rows = [dict(row) | {"detail": json.loads(row["detail"])} for row in found]
        known = sorted(db.scalars(sa.select(audit_table.c.event).distinct()))
        people = sorted(db.scalars(sa.select(audit_table.c.actor).distinct()))
    held.note(user, "audit viewed", "audit", of=actor or "everyone", which=event or "all")
    return held.page(
        request, "app/rooms/audit.html", rows=[_opened(row) for row in rows], events=known, people=people, actor=actor,
        event=event, more=rows[-1]["seq"] if len(rows) == PAGE else None, found=None, record="",
    )  # fmt: skip


@router.post("/audit")
def question(request: Request, held: At, user: Auditor, form: Form) -> Response:
    """Check the chain, ask who looked at a record, open a reason, or take the entries along."""
    match said(form, "what"):
        case "verify":
            read, bad = audit.verify(held.operations, anchors.known(held.operations))
            held.note(user, "audit verified", "audit", read=read, bad=bad)
            wrong = f"Entry {bad} is missing, or not as it was written."
            request.session["flash"] = {"text": wrong if bad else f"{read:,} entries, unbroken."}
            return RedirectResponse("/audit", 303)
        case "who":
            record = said(form, "record", 200)
            try:
                with held.read() as snapshot:
                    names = looks.names_of(snapshot.wh, held.operations.keyring, record)
            except NothingPublished:
                names = looks.names_of(None, held.operations.keyring, record)
            found = looks.looks_at(held.operations, names)
            name = record_name(held.operations.keyring, record)
            held.note(user, "audit asked about a person", name, found=len(found.about))
            return held.page(
                request, "app/rooms/audit.html", rows=[_opened(row) for row in found.about], events=[], people=[],
                actor="", event="", more=None, found=len(found.about), in_bulk=[_opened(row) for row in found.in_bulk],
                record=record,
            )  # fmt: skip
        case "export":
            held.note(user, "audit exported", "audit")
            with held.operations.begin() as db:
                every = [dict(row) for row in db.execute(sa.select(audit_table).order_by(audit_table.c.seq)).mappings()]
            out = io.StringIO(newline="")
            writer = csv.writer(out, lineterminator="\r\n")
            columns = ("seq", "at", "actor", "event", "object", "detail")
            writer.writerow(columns)
            writer.writerows([[safe_cell(row[name]) for name in columns] for row in every])
            headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
            return Response(out.getvalue().encode(), media_type="text/csv; charset=utf-8", headers=headers)
        case _:
            raise Refused(422, "Nothing was done", "Choose one of the buttons on the page.")


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    """An entry with its detail as words."""
    detail = dict(row["detail"])
    names = detail.pop("records", None)
    said = {name: value for name, value in detail.items() if value not in (None, "", [])}
    told = [f"{name.replace('_', ' ')}: {_words(value)}" for name, value in said.items()]
    if names:
        told.append(f"records: {len(names)}")
    return row | {"told": "; ".join(told)}
