"""What stands before every page: headers, sessions, forged posts, floods, sizes."""

import hmac
import logging
import os
import secrets
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
logger = logging.getLogger(__name__)


class Refused(Exception):
    """A request that is let no further: a status and what to tell the reader."""

    def __init__(self, status: int, title: str, text: str) -> None:
        super().__init__(title)
        self.status, self.title, self.text = status, title, text


class Headers:
    """Puts the headers of protection on every answer; pages are never stored."""

    def __init__(self, app: ASGIApp, https: bool = False) -> None:
        self.app = app
        self.fixed = FIXED | ({"Strict-Transport-Security": "max-age=31536000"} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(18)
        scope.setdefault("state", {})["nonce"] = nonce

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
                for name, value in self.fixed.items():
                    headers[name] = value
                if scope["path"].startswith("/static/") and message["status"] == 200:
                    headers["Cache-Control"] = "public, max-age=31536000, immutable"
                else:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, with_headers)


class Calm:
    """What nobody foresaw becomes a page too; the log says where it happened, never what with."""

    def __init__(self, app: ASGIApp, page: Callable[[Request], Response]) -> None:
        self.app, self.page = app, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as fault:
            place = traceback.extract_tb(fault.__traceback__)[-1]
            logger.error("%s in %s, line %s", type(fault).__name__, place.filename, place.lineno)
            if os.environ.get("BOROUGHLINK_DEBUG"):
                raise
            if begun or scope["type"] != "http":  # the server logs what reaches it, text and all
                raise RuntimeError("an answer broke off") from None
            await self.page(Request(scope))(scope, receive, send)


class Sizes:
    """Refuses bodies above a size before they are read whole."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        scope.setdefault("state", {})["oversized"] = not declared.isdigit() or int(declared) > self.most
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.most:
                scope["state"]["oversized"] = True
                return {"type": "http.request", "body": b"", "more_body": False}
            return message

        await self.app(scope, counted, send)


class Pace:
    """How often each caller came in the last minute; more than allowed is refused."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def admit(self, caller: str, a_minute: int) -> bool:
        moment = time.monotonic()
        with self._lock:
            if len(self._seen) > 10_000:  # callers that have gone quiet
                self._seen = {who: when for who, when in self._seen.items() if when and when[-1] > moment - 60}
            seen = self._seen.setdefault(caller, deque())
            while seen and seen[0] < moment - 60:
                seen.popleft()
            if len(seen) >= a_minute:
                return False
            seen.append(moment)
            return True


def csrf_token(session: MutableMapping[str, Any]) -> str:
    """The token that every form of this session carries."""
    return str(session.setdefault("csrf", secrets.token_urlsafe(24)))


async def checked_form(request: Request) -> dict[str, list[str]]:
    """The posted form, once its token and its origin are those of our own pages. Raises Refused."""
    if request.state.oversized:
        raise Refused(
            413, "That is too much at once", "What was sent is far larger than any form here. Nothing was saved."
        )
    # every browser names the origin of a post; one that does not is no page of ours
    if request.headers.get("origin", "").lower() != f"{request.url.scheme}://{request.headers.get('host', '')}".lower():
        raise _forged()
    try:
        form = await request.form(max_files=0, max_fields=1000)
    except Exception:  # noqa: BLE001 - whatever a body that is no form raises, it is no form
        raise Refused(400, "That can't be read", "What was sent is no form of ours. Nothing was saved.") from None
    if request.state.oversized:
        raise Refused(
            413, "That is too much at once", "What was sent is far larger than any form here. Nothing was saved."
        )
    known = request.session.get("csrf", "")
    given = str(form.get("csrf", ""))
    if not known or not hmac.compare_digest(known.encode(), given.encode("utf-8", "replace")):
        raise _forged()
    fields: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        fields.setdefault(name, []).append(str(value).replace("\x00", ""))
    return fields


def _forged() -> Refused:
    return Refused(
        403,
        "This form can't be used any more",
        "It belongs to another session, or to another site. Nothing was saved. Go back, load the page again, and "
        "repeat your answer.",
    )
