"""Signing in and out, one's own choices, whom one must not be given."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from pipelines.faults import BoroughlinkError
from pipelines.governance.actors import actor
from review_app import kin
from review_app.council_sign_in import failures, user_of
from review_app.desk import At, Form, House, needs, needs_any, said, signed_in
from review_app.policy import policy
from review_app.preferences import ACTIONS, Preferences, prefer, preferences
from review_app.roles import User
from review_app.security import Refused

router = APIRouter()
#: A path of this app: browsers take `//` and `/\` at its head for another host.
_OURS = re.compile(r"/(?:[\w.~-][\w./~-]*)?", re.ASCII)
SignedIn = Annotated[User, Depends(needs_any)]
Declaring = Annotated[User, Depends(needs("declare"))]


@router.get("/sign-in")
def sign_in(request: Request, held: At) -> Response:
    """Who are you?"""
    return held.page(request, "app/sign_in.html", locals=held.local, oidc=held.oidc is not None)


@router.post("/sign-in")
def sign_in_local(request: Request, held: At, form: Form) -> Response:
    """A local user, over invented people only."""
    _slow_down(request, held)
    user = next((user for user in held.local if user.name == said(form, "name")), None)
    if user is None:
        raise Refused(403, "Nobody of that name may sign in here", "Choose one of the names on the page.")
    return begin(request, held, user)


@router.get("/sign-in/council")
async def sign_in_council(request: Request, held: At) -> Response:
    """To the council's own sign-in."""
    if held.oidc is None:
        raise Refused(404, "There is no such page", "Sign-in with council accounts is not set up here.")
    _slow_down(request, held)
    answer: Response = await held.oidc.authorize_redirect(request, str(request.url_for("signed_in_council")))
    return answer


@router.get("/sign-in/back")
async def signed_in_council(request: Request, held: At) -> Response:
    """Back from there: who is it, and in which role?"""
    if held.oidc is None:
        raise Refused(404, "There is no such page", "Sign-in with council accounts is not set up here.")
    _slow_down(request, held)
    try:
        token = await held.oidc.authorize_access_token(request)
    except failures():
        raise Refused(
            403, "You could not be signed in", "The sign-in did not come to an end, or took too long. Try again."
        ) from None
    user = user_of(dict(token.get("userinfo") or {}), held.settings)
    if user is None:
        raise Refused(
            403, "You have no role here yet", "Your account is known, but holds no role in this app. Ask for one."
        )
    return await run_in_threadpool(begin, request, held, user)


def begin(request: Request, held: House, user: User) -> Response:
    """Begin a session anew: nothing of an earlier one is kept but where to go."""
    to = str(request.session.get("next", "/"))
    held.sessions.end(str(request.session.get("session", "")))
    request.session.clear()
    request.session["session"] = held.sessions.begin(user)
    held.note(user, "signed in", user.name, roles=sorted(user.roles))
    return RedirectResponse(to if _OURS.fullmatch(to) else "/", 303)


def _slow_down(request: Request, held: House) -> None:
    caller = request.client.host if request.client else "unknown"
    if not held.pace.admit(f"sign-in {caller}", policy()["sign_ins_a_minute"]):
        raise Refused(429, "Too many tries", "Wait a minute, then try again.")


@router.post("/sign-out")
def sign_out(request: Request, held: At, form: Form) -> Response:
    """End the session and give back what was kept."""
    user = signed_in(request)
    if user:
        held.leases.let_go(user.name)
        held.note(user, "signed out", user.name)
    held.sessions.end(str(request.session.get("session", "")))
    request.session.clear()
    return RedirectResponse("/sign-in", 303)


@router.get("/choices")
def choices(request: Request, held: At, user: SignedIn) -> Response:
    """Keys and blind mode."""
    return held.page(request, "app/choices.html", chosen=preferences(held.operations, user), actions=ACTIONS, error="")


@router.post("/choices")
def choose(request: Request, held: At, user: SignedIn, form: Form) -> Response:
    """Keep them."""
    keys = {action: said(form, f"key-{action}", 1).lower() for action in ACTIONS}
    chosen = Preferences(said(form, "shortcuts") == "on", said(form, "blind") == "on", keys)
    given = [key for key in keys.values() if key]
    wrong = ""
    if len(set(given)) < len(given):
        wrong = "Two actions have the same key: give each its own."
    elif any(not key.isalpha() or not key.isascii() for key in given):
        wrong = "A key is one letter, a to z. Digits tick records."
    if wrong:
        return held.page(request, "app/choices.html", 422, chosen=chosen, actions=ACTIONS, error=wrong)
    prefer(held.operations, user, chosen)
    request.session["flash"] = {"text": "Your choices are kept, on every machine that you sign in at."}
    return RedirectResponse("/choices", 303)


@router.get("/declarations")
def declarations(request: Request, held: At, user: Declaring) -> Response:
    """Whom this user must not be given."""
    return _declarations(request, held, user)


@router.post("/declarations")
def declare(request: Request, held: At, user: Declaring, form: Form) -> Response:
    """Name a record of oneself or one's own, or take a name off."""
    if (number := said(form, "withdraw", 15)).isdecimal():
        who = actor(user.name, held.settings)
        try:
            if said(form, "ask"):
                kin.ask_to_withdraw(held.operations, who, int(number), said(form, "reason", 500))
            else:
                kin.withdraw(held.operations, user, who, int(number))
        except BoroughlinkError as fault:
            return _declarations(request, held, user, str(fault))
        return RedirectResponse("/declarations", 303)
    kind, record = said(form, "kind"), said(form, "record", 200)
    with held.read() as snapshot:
        known = snapshot.wh.rows("SELECT 1 FROM published.people.record WHERE record_id = ?", [record])
    if kind not in kin.KINDS or not known:
        wrong = (
            "Choose how you know the person." if known else "No record has that id: copy it from an item or a search."
        )
        return _declarations(request, held, user, wrong)
    kin.declare(held.operations, user, kind, record)
    return RedirectResponse("/declarations", 303)


def _declarations(request: Request, held: House, user: User, error: str = "") -> Response:
    return held.page(
        request, "app/declarations.html", 422 if error else 200, declared=kin.declared(held.operations, user),
        asked=kin.withdrawals(held.operations, actor(user.name, held.settings)), kinds=kin.KINDS, error=error,
    )  # fmt: skip
