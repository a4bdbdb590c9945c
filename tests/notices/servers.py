"""Real servers on loopback for the tests of notices: mail, web, and some that never come to an end."""

import asyncore
import json
import smtpd
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@contextmanager
def mail_server() -> Iterator[tuple[int, list[tuple[list[str], str]]]]:
    """A mail server: its port, and what it got (recipients, message)."""
    got: list[tuple[list[str], str]] = []

    class Server(smtpd.SMTPServer):
        def process_message(self, peer: Any, sender: str, to: list[str], data: bytes, **_: Any) -> None:
            got.append((to, data.decode()))

    sockets: dict[int, Any] = {}
    server = Server(("127.0.0.1", 0), None, map=sockets)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            asyncore.loop(timeout=0.05, map=sockets, count=1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.socket.getsockname()[1], got
    finally:
        over.set()
        thread.join(5)
        for each in list(sockets.values()):
            each.close()


@contextmanager
def web_server(
    status: int = 204, answers: int = 0
) -> Iterator[tuple[str, list[tuple[dict[str, str], dict[str, Any]]]]]:
    """A web server: the address to post to, and what it got (headers, JSON). It answers with up to so many
    megabytes, and counts in the last of what it got how many went out.
    """
    got: list[tuple[dict[str, str], dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers), json.loads(body)))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            with suppress(OSError):
                for sent in range(answers):
                    self.wfile.write(b"x" * 1_000_000)
                    got[-1][0]["sent"] = str(sent)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def endless_server(dribbles: bool) -> Iterator[int]:
    """A server that takes a connection and never answers, or answers a byte now and then without end."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        held = []
        listening.settimeout(0.1)
        while not over.is_set():
            with suppress(OSError):
                held.append(listening.accept()[0])
            for each in held if dribbles else ():
                with suppress(OSError):
                    each.send(b"2")
            time.sleep(0.05)
        for each in held:
            each.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        thread.join(5)
        listening.close()
