"""One small borough, made and run once by the real command; tests that change something work on a copy."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.settings import SHIPPED_SOURCES

COMMAND = [str(Path(sys.executable).parent / "boroughlink")]
PEOPLE, SEED = "3000", "7"
FEW = ("council_tax", "electoral_register", "housing", "llpg")


@dataclass(frozen=True)
class Borough:
    """A demonstration folder and what the command printed while making it."""

    root: Path
    printed: str

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def truth(self) -> Path:
        return self.root / "truth"

    def copy(self, to: Path) -> "Borough":
        shutil.copytree(self.root, to, symlinks=True)
        return Borough(to, self.printed)


def boroughlink(*arguments: object, cwd: Path | None = None, fine: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command; with `fine`, its failure fails the test."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("BOROUGHLINK_", "DAGSTER_"))}
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if fine:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def landed(tmp_path_factory) -> Path:
    """Extracts and truth of a small borough, nothing taken in yet: `landing/` and `truth/`."""
    out = tmp_path_factory.mktemp("landed") / "borough"
    boroughlink("synth", "--out", out, "--people", PEOPLE, "--seed", SEED)
    return out


@pytest.fixture(scope="session")
def few(landed, tmp_path_factory) -> Path:
    """Four sources only, `landing/` and `sources/`: the same rooms in half of the time."""
    root = tmp_path_factory.mktemp("few")
    for name in FEW:
        shutil.copytree(landed / "landing" / name, root / "landing" / name)
        shutil.copytree(SHIPPED_SOURCES / name, root / "sources" / name)
    return root


@pytest.fixture(scope="session")
def borough(tmp_path_factory) -> Borough:
    """The demonstration, run in a folder that is not the repository."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = boroughlink("demo", "--out", "demo", "--people", PEOPLE, "--seed", SEED, cwd=elsewhere)
    return Borough(elsewhere / "demo", done.stdout + done.stderr)
