"""Dagster's pages are for whoever has the printed address: not for other sites, nor for others on the machine."""

import sys
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
from dagster._cli import dev as dagster_dev
from dagster_webserver import cli
from dagster_webserver.webserver import DagsterWebserver
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipelines.assets import STARTED_BY_TAG
from pipelines.definitions import _who
from pipelines.governance.actors import person
from pipelines.running import pages

MUTATION = "/graphql?query=mutation{launchRun}"
SOCKET = "ws://127.0.0.1:3333/graphql"


async def listen(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("counts")


@pytest.fixture
def browser() -> TestClient:
    routes = [Route("/graphql", lambda _: PlainTextResponse("done")), WebSocketRoute("/graphql", listen)]
    return TestClient(cast(Any, pages.Door(Starlette(routes=routes), "the-key")), base_url="http://127.0.0.1:3333")


def test_the_printed_address_lets_in_and_nothing_else_does(browser: TestClient) -> None:
    for path in (MUTATION, MUTATION + "&key=guess", MUTATION + "&key="):
        assert browser.get(path).status_code == 403
    with pytest.raises(WebSocketDisconnect), browser.websocket_connect(SOCKET):
        pass
    came = browser.get("/graphql?key=the-key", follow_redirects=False)
    assert came.headers["location"] == "/graphql" and "SameSite=Strict" in came.headers["set-cookie"]
    assert browser.get(MUTATION).text == "done"
    with browser.websocket_connect(SOCKET) as socket:
        assert socket.receive_text() == "counts"


@pytest.mark.parametrize(
    "said",
    [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
     {"sec-fetch-site": "same-site"}, {"origin": "http://127.0.0.1:4444"}],
)  # fmt: skip
def test_another_site_in_the_same_browser_gets_nothing(browser: TestClient, said: dict[str, str]) -> None:
    browser.get("/graphql?key=the-key")
    assert browser.get(MUTATION, headers=said).status_code == 403
    with pytest.raises(WebSocketDisconnect), browser.websocket_connect(SOCKET, headers=said):
        pass


def test_the_door_stands_before_dagsters_own_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pages.KEY_ENV, "the-key")
    monkeypatch.setattr(cli, "main", lambda: None)
    monkeypatch.setattr(DagsterWebserver, "build_middleware", DagsterWebserver.build_middleware)
    pages.serve_pages()
    first = DagsterWebserver.build_middleware(cast(Any, None))[0]
    assert first.cls is pages.Door and first.kwargs == {"key": "the-key"}


def test_dagster_starts_its_pages_behind_the_door_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(dagster_dev, "open_ipc_subprocess", lambda words, **_: started.append(words))
    monkeypatch.setattr(dagster_dev, "dev_command", lambda: None)
    pages.dev()
    for module in ("dagster_webserver", "dagster._daemon"):
        dagster_dev.open_ipc_subprocess([sys.executable, "-m", module, "--port", "1"])
    assert [" ".join(words).split(" -m ")[1] for words in started] == [
        "pipelines.running.pages serve --port 1", "dagster._daemon --port 1",
    ]  # fmt: skip
    with pytest.raises(RuntimeError, match="would stand open"):
        dagster_dev.open_ipc_subprocess(["dagster-webserver"])


@pytest.mark.parametrize("tag", [STARTED_BY_TAG, "dagster/schedule_name", "dagster/sensor_name"])
def test_a_tag_of_a_run_names_nobody_else(tag: str) -> None:
    """Whoever launches a run on the pages writes its tags; the audit would hold them for who it was."""
    run = cast(dg.DagsterRun, SimpleNamespace(run_id="r1", tags={tag: "ann.smith"}))
    assert person() in _who(run) and _who(run) != "ann.smith"
