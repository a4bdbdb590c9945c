"""What every page has at hand: the folder, its settings, the operational store, the published run, who is asking."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from pipelines.governance import audit
from pipelines.keys.pseudonyms import record_name
from pipelines.operations import Operations
from pipelines.settings import DataFolder, Settings
from review_app.leases import Leases
from review_app.policy import policy
from review_app.published import Published, Snapshot
from review_app.roles import User
from review_app.security import Pace, Refused, checked_form, csrf_token
from review_app.sessions import Session, Sessions
from review_app.verdicts import Verdicts


@dataclass
class House:
    """The running app."""

    folder: DataFolder
    settings: Settings
    operations: Operations
    published: Published
    verdicts: Verdicts
    leases: Leases
    templates: Jinja2Templates
    local: tuple[User, ...] = ()
    pace: Pace = field(default_factory=Pace)
    sessions: Sessions = field(default_factory=Sessions)
    oidc: Any = None

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        with self.published.read() as snapshot:
            yield snapshot

    def note(self, user: User, event: str, subject: str, **detail: Any) -> None:
        """Write to the audit before a page is shown."""
        audit.record(self.operations, user.name, event, subject, **detail)

    def named(self, record_id: str) -> str:
        """What a record is called in an address, which browsers and proxies keep: its id holds a source's key."""
        return record_name(self.operations.keyring, record_id)

    def sealed(self, text: str) -> str:
        """Keep a reason sealed, for the audit to name: it may say whom it is about."""
        with self.operations.begin() as db:
            return self.operations.seal(db, text)

    def page(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        """A page from its template, with what all pages need."""
        session = session_of(request)
        user = session.user if session else None
        if session and f"/flagged/{session.shown[0]}" != request.url.path:
            session.shown = ("", 0.0)  # whoever leaves an unmasked pair finds it masked again
        shared = {
            "user": user,
            "csrf": csrf_token(request.session),
            "cspNonce": request.state.nonce,
            "house": self,
            "council": self.settings.council,
            "synthetic": self.settings.holds == "synthetic",
            "path": request.url.path,
            "flash": request.session.pop("flash", None),
        }
        return self.templates.TemplateResponse(request, template, shared | context, status_code=status)


def house(request: Request) -> House:
    held: House = request.app.state.house
    return held


def session_of(request: Request) -> Session | None:
    """The session that the cookie names, if it still goes on."""
    return house(request).sessions.find(str(request.session.get("session", "")))


def signed_in(request: Request) -> User | None:
    """Whoever is there."""
    held = session_of(request)
    return held.user if held else None


class SignInFirst(Exception):
    """Nobody is signed in."""


def needs(permission: str) -> Callable[..., User]:
    """A dependency: the user, who must hold the permission. Raises SignInFirst or Refused."""

    def allowed(request: Request) -> User:
        user = needs_any(request)
        if not user.may(permission):
            house(request).note(user, "page refused", permission)
            raise Refused(
                403,
                "This page is not for your role",
                f"You are signed in as {', '.join(user.titles).lower()}. Your administrator gives roles.",
            )
        return user

    allowed.permission = permission  # type: ignore[attr-defined]
    return allowed


def needs_any(request: Request) -> User:
    """A dependency: somebody who is signed in."""
    user = signed_in(request)
    if user is None:
        raise SignInFirst
    if not house(request).pace.admit(f"user {user.name}", policy()["pages_a_minute"]):
        raise Refused(429, "Too many pages in a minute", "Wait a little, then go on. Nothing was lost.")
    return user


def slow_searches(held: House, user: User) -> None:
    """Raises Refused for more searches than somebody who looks for one person makes."""
    if not held.pace.admit(f"search {user.name}", policy()["searches_a_minute"]):
        held.note(user, "searches slowed", user.name)
        raise Refused(429, "Too many searches in a minute", "Wait a little, then go on.")


At = Annotated[House, Depends(house)]
Form = Annotated[dict[str, list[str]], Depends(checked_form)]


def said(form: dict[str, list[str]], name: str, most: int = 2000) -> str:
    """One field of a form, trimmed."""
    return form.get(name, [""])[0].strip()[:most]
