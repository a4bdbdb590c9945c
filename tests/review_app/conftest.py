"""One published town for all tests of the app; each test works on its own copy of the folder where it writes."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipelines.settings import DataFolder
from review_app.app import create_app
from review_app.roles import User
from tests.review_app import town


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> tuple[DataFolder, "town.Town"]:
    return town.found(tmp_path_factory.mktemp("town") / "data")


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader waits until the run that was published is open, however busy the machine, not half a second."""
    monkeypatch.setattr("review_app.published.PATIENCE", 60)


@pytest.fixture
def place(founded: tuple[DataFolder, "town.Town"], tmp_path: Path) -> DataFolder:
    """A copy of the published town."""
    shutil.copytree(founded[0].root, tmp_path / "data")
    return DataFolder.at(tmp_path / "data")


class Reader(TestClient):
    """Somebody at a browser without JavaScript."""

    def __init__(self, app: "object", base_url: str = "http://localhost") -> None:
        super().__init__(app, base_url=base_url, headers={"origin": base_url})

    def csrf(self, path: str = "/choices") -> str:
        return re.findall(r'name="csrf" value="([^"]+)"', self.get(path).text)[0]

    def submit(self, path: str, data: dict[str, object] | None = None, **more: object) -> "object":
        return self.post(path, data={"csrf": self.csrf()} | (data or {}), **more)

    def item(self, path: str = "/review/next") -> "Page":
        return Page(self, self.get(path))


class Page:
    """An item that was opened, and its form."""

    def __init__(self, reader: Reader, answer: "object") -> None:
        self.reader, self.answer = reader, answer
        self.text = answer.text
        self.path = answer.url.path + (f"?{answer.url.query.decode()}" if answer.url.query else "")
        self.fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', self._form()))
        self.records = re.findall(r'data-record="([^"]+)"', self.text)
        self.item_id = answer.url.path.rsplit("/", 1)[-1]

    def _form(self) -> str:
        found = re.search(r'<form id="answer".*?</form>', self.text, re.S)
        return found.group(0) if found else ""

    def answer_with(self, verdict: str, follow: bool = False, **more: object) -> "object":
        return self.reader.post(
            self.path.split("?")[0], data=self.fields | {"verdict": verdict} | more, follow_redirects=follow
        )


@contextmanager
def reading(folder: DataFolder, name: str = "Ruth Reviewer", *roles: str) -> Iterator[Reader]:
    """Somebody signed in on this folder."""
    user = User(name, frozenset(roles or ("reviewer",)))
    app = create_app(folder, [user])
    with Reader(app, base_url="http://localhost") as reader:
        token = re.findall(r'name="csrf" value="([^"]+)"', reader.get("/sign-in").text)[0]
        reader.post("/sign-in", data={"csrf": token, "name": name})
        yield reader
    app.state.house.published.close()
    app.state.house.operations.close()


@pytest.fixture
def reviewer(place: DataFolder) -> Iterator[Reader]:
    with reading(place) as reader:
        yield reader
