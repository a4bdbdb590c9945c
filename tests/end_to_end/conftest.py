"""One small borough, made and run once by the real command; tests that change something work on a copy."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from pipelines.governance.actors import PLAYED
from pipelines.settings import SHIPPED_SOURCES
from tests.end_to_end import connections
from tests.end_to_end.standing_by import StandingBy

COMMAND = [str(Path(sys.executable).parent / "boroughlink")]
PEOPLE, SEED = "3000", "7"
FEW = ("council_tax", "electoral_register", "housing", "llpg")


@dataclass(frozen=True)
class Borough:
    """A demonstration folder, what the command printed while making it, and what the kernel saw of its connections."""

    root: Path
    printed: str
    traced: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def truth(self) -> Path:
        return self.root / "truth"

    def copy(self, to: Path) -> "Borough":
        shutil.copytree(self.root, to, symlinks=True)
        return Borough(to, self.printed, self.traced)


def environment(notes: Path) -> dict[str, str]:
    """That of a command: no setting of this machine's, one thread, its connections noted."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("BOROUGHLINK_", "DAGSTER_"))}
    return plain | {"BOROUGHLINK_THREADS": "1"} | connections.noting(notes)


@cache
def standing_by() -> StandingBy:
    return StandingBy(environment(Path(os.devnull)))


def boroughlink(
    *arguments: object,
    cwd: Path | None = None,
    fine: bool = True,
    by: str | None = None,
    before: Sequence[str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command; with `fine`, its failure fails the test. A connection that leaves the machine always does.
    It is a fork of a process that stands by; with words `before` it, or none of them, one that is started itself.
    """
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as notes:
        words, env = [*map(str, arguments)], environment(Path(notes.name)) | ({PLAYED: by} if by else {})
        if before is None:
            done = standing_by().run(words, cwd, env)
        else:
            done = subprocess.run(
                [*before, *COMMAND, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=600, check=False
            )
        assert not notes.read(), "the command would have left this machine"
    if fine:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first of the processes that test side by side makes; the others wait for it."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    place, whole = shared / name, shared / f"{name}.whole"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            make(place)
            whole.touch()
    return place


@pytest.fixture(scope="session")
def landed(tmp_path_factory) -> Path:
    """Extracts and truth of a small borough, nothing taken in yet: `landing/` and `truth/`."""

    def make(place: Path) -> None:
        boroughlink("synth", "--out", place / "borough", "--people", PEOPLE, "--seed", SEED)

    return made_once(tmp_path_factory, "landed", make) / "borough"


@pytest.fixture(scope="session")
def few(landed, tmp_path_factory) -> Path:
    """Four sources only, `landing/` and `sources/`: the same rooms in half of the time."""

    def make(place: Path) -> None:
        for name in FEW:
            shutil.copytree(landed / "landing" / name, place / "landing" / name)
            shutil.copytree(SHIPPED_SOURCES / name, place / "sources" / name)

    return made_once(tmp_path_factory, "few", make)


@pytest.fixture(scope="session")
def borough(tmp_path_factory) -> Borough:
    """The demonstration, run in a folder that is not the repository; each process works on a copy of its own."""

    def make(place: Path) -> None:
        watched = connections.before(place / "traced")
        done = boroughlink("demo", "--out", "demo", "--people", PEOPLE, "--seed", SEED, cwd=place, before=watched)
        (place / "printed").write_text(done.stdout + done.stderr)

    place = made_once(tmp_path_factory, "elsewhere", make)
    made = Borough(place / "demo", (place / "printed").read_text(), place / "traced")
    return made.copy(tmp_path_factory.mktemp("borough") / "demo")
