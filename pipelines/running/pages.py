"""Dagster's pages behind a door: `python -m pipelines.running.pages` is `dagster dev`, for whoever has the address.

By themselves they ask nobody who they are and take a mutation by GET, from any page that the browser has open and from
anybody on the machine: it could start and stop runs, and read what they counted. The door wants the key that stands in
the address which `boroughlink dev` prints, and keeps it in a cookie that no other site sends.
"""

import hmac
import os
import sys
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

KEY_ENV = "BOROUGHLINK_PAGES_KEY"
COOKIE = "boroughlink-pages"
_CLOSED = (
    b"These pages open by the whole address that `boroughlink dev` printed, with its key, and from no other site.\n"
)


class Door:
    """Lets a request or a socket through that brings the key, and is asked for by these pages or typed by a person."""

    def __init__(self, app: Any, key: str) -> None:
        self.app, self.key = app, key.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("key", [""])[0]
        if scope["type"] == "http" and scope["method"] == "GET" and self._fits(given):
            cookie = f"{COOKIE}={self.key.decode()}; Path=/; HttpOnly; SameSite=Strict"
            await _answer(send, 303, [(b"location", scope["path"].encode()), (b"set-cookie", cookie.encode())])
        elif self._brought(dict(scope["headers"])):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await _answer(send, 403, [(b"content-type", b"text/plain; charset=utf-8")], _CLOSED)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _brought(self, headers: dict[bytes, bytes]) -> bool:
        try:
            cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            return False
        origin, host = headers.get(b"origin"), headers.get(b"host", b"")
        return (
            COOKIE in cookies
            and self._fits(cookies[COOKIE].value)
            and headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin")
            and origin in (None, b"http://" + host)
        )

    def _fits(self, key: str) -> bool:
        return hmac.compare_digest(key.encode(), self.key)


async def _answer(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
    headers = [*headers, (b"cache-control", b"no-store"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def serve_pages() -> None:
    """The web server of `dagster dev`, with the door before it."""
    from dagster_webserver import cli
    from dagster_webserver.webserver import DagsterWebserver
    from starlette.middleware import Middleware

    key, theirs = os.environ[KEY_ENV], DagsterWebserver.build_middleware
    setattr(DagsterWebserver, "build_middleware", lambda self: [Middleware(Door, key=key), *theirs(self)])  # noqa: B010
    cli.main()


def dev() -> None:
    """`dagster dev`, whose web server is `serve_pages`; it starts no other process than that and the daemon."""
    from dagster._cli import dev as theirs

    start = theirs.open_ipc_subprocess

    def behind_the_door(parts: Sequence[str], **how: Any) -> Any:
        words = list(parts)
        if words[:3] == [sys.executable, "-m", "dagster_webserver"]:
            words = [sys.executable, "-m", "pipelines.running.pages", "serve", *words[3:]]
        elif words[:3] != [sys.executable, "-m", "dagster._daemon"]:
            raise RuntimeError("Dagster's pages start otherwise than they did: they would stand open")
        return start(words, **how)

    setattr(theirs, "open_ipc_subprocess", behind_the_door)  # noqa: B010
    theirs.dev_command()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        del sys.argv[1]
        serve_pages()
    else:
        dev()
