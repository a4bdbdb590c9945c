"""Finds identifiers in whatever lies in a folder: planted canaries in any disguise, and what looks like one.

It says where and how many of which kind, never which.
"""

import base64
import fnmatch
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import polars as pl

from pipelines.custody.scan_contents import NotOpened, Sealed, contents
from pipelines.faults import BoroughlinkError
from pipelines.keys.keyring import Keyring

_SHORTEST = 7  # characters of a canary's form: shorter ones stand everywhere by chance


@dataclass(frozen=True)
class Found:
    """Hits by file and kind; files that should open and didn't (`closed`), that are encrypted and whose key is not at
    hand (`sealed`), that the exceptions pass over."""

    hits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    closed: Sequence[str] = ()
    sealed: Sequence[str] = ()
    excepted: Sequence[str] = ()
    files: int = 0


def _nhs(number: str) -> bool:
    """The check digit of an NHS number: weights 10 to 2, modulo 11."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    check = 11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return len(digits) == 10 and len(set(digits)) > 1 and check % 11 == digits[9] and check != 10


def _upn(number: str) -> bool:
    """The check letter of a unique pupil number: weights 2 to 13, modulo 23."""
    letters = "ABCDEFGHJKLMNPQRTUVWXYZ"
    tail = [int(sign) if sign.isdigit() else letters.find(sign) for sign in number[1:]]
    return letters[sum(d * w for d, w in zip(tail, range(2, 14), strict=True)) % 23] == number[0]


#: What looks like an identifier, and what else must hold of it.
PATTERNS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "NI number": (
        re.compile(r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]\b"),
        lambda text: True,
    ),
    "NHS number": (re.compile(r"(?<![\w.-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w.-])"), _nhs),
    "UPN": (re.compile(r"\b[A-HJ-NP-RT-Z]\d{11}[0-9A-HJ-NP-RT-Z]\b"), _upn),
    "UPRN": (re.compile(r"(?i)\buprn\W{1,5}\d{6,12}\b"), lambda text: True),
    "e-mail": (re.compile(r"(?i)\b[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b"), lambda text: True),
    "phone": (
        re.compile(r"(?<![\w.-])(?:\+44 ?|0)(?:7\d{3}|1\d{3}|2\d{2}) ?\d{3} ?\d{3,4}(?![\w.-])"),
        lambda text: True,
    ),
    "name with postcode": (
        re.compile(r"\b[A-Z][A-Za-z'-]+ [A-Z][A-Za-z'-]+\b[^\n]{0,120}?\b[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}\b"),
        lambda text: True,
    ),
}


def forms(value: str) -> set[bytes]:
    """The ways in which a value could lie hidden: cases, no spaces, reversed, UTF-16, hex, base 64, plain hashes."""
    texts = {value, value.upper(), value.lower(), value.title(), value.replace(" ", ""), value[::-1]}
    found = {text.encode() for text in texts}
    for text in (value, value.upper(), value.lower(), value.replace(" ", "")):
        raw = text.encode()
        found |= {text.encode("utf-16-le"), raw.hex().encode(), raw.hex().upper().encode()}
        found |= _base64(raw)
        found |= {
            hashlib.new(kind, raw, usedforsecurity=False).hexdigest().encode() for kind in ("sha256", "md5", "sha1")
        }
    return {form for form in found if len(form) >= _SHORTEST}


def _base64(raw: bytes) -> set[bytes]:
    """What base 64 makes of the bytes at each of the three places where they may begin, without the edges."""
    found = set()
    for lead in range(3):
        coded = base64.b64encode(b"\0" * lead + raw).rstrip(b"=")[:-1]
        found.add(coded[(0, 2, 3)[lead] :])
    return found


def scan(
    root: Path,
    canaries: Iterable[str] = (),
    exceptions: Sequence[str] = (),
    patterns: bool = True,
    keyring: Keyring | None = None,
) -> Found:
    """Look through a file or folder. `exceptions` are names (or globs) of files and folders below it."""
    if not root.exists():
        raise BoroughlinkError(f"{root} is not there.")
    # bytes as characters of one byte, so that one pass looks for every form at once
    whose = [(form.decode("latin-1"), value) for value in set(canaries) for form in sorted(forms(value))]
    shapes = [form for form, _ in whose]
    hits: dict[str, dict[str, int]] = {}
    closed: list[str] = []
    sealed: list[str] = []
    passed, files = [], 0
    with tempfile.TemporaryDirectory(prefix="scan-") as temp:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if not path.is_file() or path.is_symlink():
                continue
            name = path.relative_to(root).as_posix() if root.is_dir() else path.name
            if any(_covers(one, name) for one in exceptions):
                passed.append(name)
                continue
            files += 1
            found: dict[str, int] = {}
            values: set[str] = set()
            try:
                for text in chain([os.fsencode(name)], contents(path, keyring, Path(temp))):
                    if isinstance(text, Sealed):
                        sealed.append(f"{name}: {text.what}")
                        continue
                    values |= _canaries(text, shapes, whose)
                    for kind, count in _looks(text).items() if patterns else ():
                        found[kind] = found.get(kind, 0) + count
            except NotOpened as why:
                closed.append(f"{name}: {str(why).partition(': ')[2]}")
            if values:
                found["canary"] = len(values)
            if found:
                hits[name] = found
    return Found(hits, closed, sealed, passed, files)


def _covers(exception: str, name: str) -> bool:
    plain = exception.rstrip("/")
    return name == plain or name.startswith(plain + "/") or fnmatch.fnmatchcase(name, plain)


def _canaries(raw: bytes, shapes: list[str], whose: list[tuple[str, str]]) -> set[str]:
    if not shapes:
        return set()
    text = pl.Series([raw.decode("latin-1")], dtype=pl.String)
    seen = set(text.str.extract_many(shapes, overlapping=True).explode().drop_nulls())
    return {value for form, value in whose if form in seen}


def _looks(raw: bytes) -> dict[str, int]:
    """How often each pattern stands in a text; nothing in bytes that are none."""
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    sample = text[:4096]
    if sum(sign.isprintable() or sign in "\r\n\t" for sign in sample) < 0.97 * len(sample):
        return {}
    found = {}
    for kind, (pattern, holds) in PATTERNS.items():
        if count := len({hit for hit in pattern.findall(text) if holds(hit)}):
            found[kind] = count
    return found


def listed(path: Path) -> list[str]:
    """Lines of a file of canaries or exceptions; what follows ` #` says why. Raises BoroughlinkError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BoroughlinkError(f"{path} can't be read as UTF-8 text.") from None
    return [kept for line in lines if (kept := line.split(" #")[0].strip()) and not kept.startswith("#")]
