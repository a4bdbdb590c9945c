"""What can be wrong with a file before any row of it is read: kind, encoding, NUL bytes, emptiness."""

import codecs
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.faults import BoroughlinkError, printable

CHUNK = 1 << 20
_BLOCK = 1 << 18
_NOT_LATIN_1 = re.compile(rb"[\x80-\x9f]")
_WORKBOOK = b"PK\x03\x04"
_PROTECTED = b"\xd0\xcf\x11\xe0"
_KINDS = {
    _WORKBOOK: "a spreadsheet or ZIP file, not {} text; export it as {}",
    _PROTECTED: "an old or password-protected Office file, not {} text; export it as {}",
    b"\x1f\x8b": "a gzip file, not {} text; unpack it first",
    b"\xff\xfe": "UTF-16 text; export it as UTF-8, or as its contract says",
    b"\xfe\xff": "UTF-16 text; export it as UTF-8, or as its contract says",
    b"%PDF": "a PDF, not {} text; export it as {}",
}


class FileRefused(BoroughlinkError):
    """A file that can't be taken in; the text names file, line and what to do, never a value."""

    def __init__(self, file: str, problem: str, line: int | None = None) -> None:
        shown = printable(file)
        self.file, self.problem, self.line = shown, problem, line
        super().__init__(f"{shown}{f', line {line}' if line else ''}: {problem}.")


@dataclass(frozen=True)
class Inspected:
    """A file as it was found: bytes, SHA-256, lines, bytes of the longest line, and the identity by which a change in
    between shows."""

    path: Path
    size: int
    sha256: str
    lines: int
    ends_whole: bool
    longest: int
    identity: tuple[int, int, int, int]

    @property
    def name(self) -> str:
        return self.path.name

    def unchanged(self) -> bool:
        """Whether the file still is what was inspected."""
        return _identity(os.lstat(self.path)) == self.identity


def inspect(path: Path, encoding: str, kind: Literal["csv", "xml", "xlsx"] = "csv") -> Inspected:
    """Read a file once: hash it, count its lines, and refuse what can't be the kind of file that the contract states,
    or text in another encoding.

    Raises FileRefused. Symbolic links and anything but plain files are refused.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise FileRefused(path.name, "can't be opened as a plain file (symbolic links are refused)") from None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        raise FileRefused(path.name, "is not a plain file")
    with os.fdopen(handle, "rb") as file:
        digest, text = hashlib.sha256(), None if kind == "xlsx" else _Encoding(path.name, encoding)
        size, last = 0, b""
        while chunk := file.read(CHUNK):
            if size == 0:
                _refuse_kind(path.name, chunk, kind)
            digest.update(chunk)
            if text:
                text.feed(chunk)
            size, last = size + len(chunk), chunk[-1:]
        if text:
            text.close()
    if size == 0:
        raise FileRefused(path.name, "is empty; ask for the extract again")
    ends_whole = last in (b"\n", b"\r")
    lines = text.newlines + (0 if ends_whole else 1) if text else 0
    longest = text.longest if text else 0
    return Inspected(path, size, digest.hexdigest(), lines, ends_whole, longest, _identity(found))


def _refuse_kind(name: str, start: bytes, kind: str) -> None:
    if kind == "xlsx":
        if start.startswith(_PROTECTED):
            raise FileRefused(name, "is an old or password-protected Office file; save it as .xlsx without a password")
        if not start.startswith(_WORKBOOK):
            raise FileRefused(name, "is no .xlsx workbook; export it as one, or correct the contract's `format`")
        return
    for magic, what in _KINDS.items():
        if start.startswith(magic):
            raise FileRefused(name, f"is {what.format(kind.upper(), kind.upper())}")
    if kind == "xml" and not start.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<"):
        raise FileRefused(name, "is no XML; export it as XML, or correct the contract's `format`")


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class _Encoding:
    """Follows a file chunk by chunk; refuses at the first byte that the encoding can't hold."""

    def __init__(self, name: str, encoding: str) -> None:
        self.name, self.encoding = name, encoding
        self.newlines = self.longest = self._line = 0
        self.plain = True
        self.decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()

    def feed(self, chunk: bytes) -> None:
        if (at := chunk.find(b"\0")) >= 0:
            raise self._refused(chunk, at, "holds a NUL byte; the export broke, ask for it again")
        if not chunk.isascii():
            self.plain = False
            if self.encoding == "latin-1" and (odd := _NOT_LATIN_1.search(chunk)):
                wrong = "holds a byte that Latin-1 text never has (Windows-1252 or UTF-8?); export it as Latin-1"
                raise self._refused(chunk, odd.start(), wrong)
        self._decode(chunk)
        self.newlines += chunk.count(b"\n")
        for at in range(0, len(chunk), _BLOCK):
            self._measure(chunk[at : at + _BLOCK])

    def _measure(self, block: bytes) -> None:
        """Follow the length of lines that are longer than a block; shorter ones don't matter to anybody."""
        first = block.find(b"\n")
        self._line += len(block) if first < 0 else first
        self.longest = max(self.longest, self._line)
        if first >= 0:
            self._line = len(block) - 1 - block.rfind(b"\n")

    def close(self) -> None:
        self._decode(b"", final=True)
        if self.encoding == "latin-1" and not self.plain and self.decoder is not None:
            raise FileRefused(self.name, "is UTF-8 text, but the contract says latin-1; correct one of them")

    def _decode(self, chunk: bytes, final: bool = False) -> None:
        if self.decoder is None:
            return
        try:
            self.decoder.decode(chunk, final)
        except UnicodeDecodeError as fault:
            if self.encoding == "utf-8":
                at = max(0, fault.start)
                raise self._refused(fault.object, at, "is not UTF-8 text; export it as UTF-8") from None
            self.decoder = None  # not UTF-8 throughout, as Latin-1 text should be

    def _refused(self, chunk: bytes, at: int, problem: str) -> FileRefused:
        return FileRefused(self.name, problem, line=self.newlines + chunk[:at].count(b"\n") + 1)
