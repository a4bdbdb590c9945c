"""Secrets that are given from outside: in the environment, or in a file that the environment names."""

import os
import stat
from pathlib import Path

from pipelines.faults import BoroughlinkError


def given_secret(name: str) -> str | None:
    """The secret of the environment variable, or of the file that <name>_FILE names; None if there is neither.

    Raises BoroughlinkError for a file that others may read, or that can't be read.
    """
    if given := os.environ.get(name):
        return given
    named = os.environ.get(f"{name}_FILE")
    if not named:
        return None
    path = Path(named)
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise BoroughlinkError(f"The file of {name}_FILE may be read by others: chmod 600 it.")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BoroughlinkError(f"The file of {name}_FILE can't be read.") from None
