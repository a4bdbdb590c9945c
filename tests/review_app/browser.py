"""A browser on a served copy of the town: what it asks for, what it complains of, what axe says of a page."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from pipelines.settings import DataFolder
from review_app.app import create_app
from review_app.roles import User, titles

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
IMAGES = os.environ.get("BOROUGHLINK_IMAGES")  # a folder: screenshots go there
USERS = {
    "Ruth Reviewer": ["reviewer"],
    "Rob Reviewer": ["reviewer"],
    "Fred Fraud": ["fraud_officer"],
    "Wanda Watch": [role for role in titles() if role not in ("reviewer", "fraud_officer")],
}

needs_browser = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium on this machine; .ci/run installs it"
)


@contextmanager
def served(folder: DataFolder) -> Iterator[str]:
    """The app on a free port of loopback; gives its address."""
    app = create_app(folder, [User(name, frozenset(roles)) for name, roles in USERS.items()])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    patience = time.monotonic() + 20
    while not server.started and time.monotonic() < patience:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        app.state.house.published.close()
        app.state.house.operations.close()


class Watched:
    """A page of a browser context, with all that it asked for and complained of."""

    def __init__(self, context: "object", home: str) -> None:
        self.page, self.home = context.new_page(), home
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda fault: self.said.append(f"error: {fault}"))

    def sign_in(self, name: str) -> "Watched":
        self.page.goto(f"{self.home}/sign-in")
        self.page.get_by_role("button", name=name).click()
        self.page.wait_for_load_state()
        return self

    def go(self, path: str) -> "Watched":
        self.page.goto(self.home + path)
        return self

    def axe(self) -> list[str]:
        """What axe finds against WCAG 2.2 A and AA and its best practices, in words."""
        # through the debugger, which the page's own policy does not bind
        session = self.page.context.new_cdp_session(self.page)
        session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
        found = session.send(
            "Runtime.evaluate",
            {
                "expression": "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map("
                "v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).join(' | ')))",
                "awaitPromise": True,
                "returnByValue": True,
            },
        )
        return found["result"]["value"]

    def picture(self, name: str, height: int | None = None) -> None:
        """A screenshot for the docs, if they are asked for."""
        if IMAGES:
            clip = {"x": 0, "y": 0, "width": self.page.viewport_size["width"], "height": height} if height else None
            self.page.screenshot(path=str(Path(IMAGES) / f"{name}.png"), full_page=height is None, clip=clip)

    def strangers(self) -> list[str]:
        return [url for url in self.asked if not url.startswith((self.home, "data:", "about:"))]

    def complaints(self) -> list[str]:
        """Refusals of the page's policy and faults of scripts; a page that says 4xx is logged by the browser too."""
        return [said for said in self.said if "Failed to load resource" not in said]
