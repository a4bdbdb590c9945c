"""The archive: every accepted file, compressed and encrypted, under its SHA-256.

Layout of a file: magic, then frames of (plain length, cipher length, nonce, cipher). Each frame's additional data
binds it to the file's hash, its place and whether it is the last: none can be swapped, dropped or appended unnoticed.
"""

import hashlib
import io
import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.faults import BoroughlinkError
from pipelines.settings import flush_folder
from pipelines.sources.file_faults import FileRefused, Inspected

_MAGIC = b"BLARCH1\n"
_FRAME = struct.Struct("<II12s")
_PLAIN = 1 << 22


class ArchiveError(BoroughlinkError):
    """An archived file is missing or doesn't open: wrong key, or changed on disk."""


class Archive:
    """A folder of encrypted files, each written whole or not at all."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder = folder
        self._cipher = AESGCM(key)
        self._codec = pa.Codec("zstd", compression_level=1)

    def path(self, sha256: str) -> Path:
        return self.folder / sha256

    def holds(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def store(self, file: Inspected) -> None:
        """Put a file into the archive unless it is there. Raises FileRefused if it changed since it was inspected."""
        if self.holds(file.sha256):
            return
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".coming-")
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as out, file.path.open("rb") as source:
                digest = hashlib.sha256()
                self._write(out, source.read, file.sha256, digest)
            if digest.hexdigest() != file.sha256:
                raise FileRefused(file.name, "changed while it was read; it will be looked at again in the next run")
            beside.chmod(0o600)
            beside.replace(self.path(file.sha256))
            flush_folder(self.folder)
        finally:
            beside.unlink(missing_ok=True)

    def rewrite(self, sha256: str, content: bytes) -> None:
        """Put other content in a file's place, under the hash of what came: without the rows of erased people."""
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".coming-")
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                self._write(out, io.BytesIO(content).read, sha256, hashlib.sha256())
            beside.chmod(0o600)
            beside.replace(self.path(sha256))
            flush_folder(self.folder)
        finally:
            beside.unlink(missing_ok=True)

    def _write(self, out: IO[bytes], read: Callable[[int], bytes], sha256: str, digest: "hashlib._Hash") -> None:
        out.write(_MAGIC)
        for number, (chunk, last) in enumerate(_chunks(read, digest)):
            packed = self._codec.compress(chunk, asbytes=True)
            nonce = os.urandom(12)
            sealed = self._cipher.encrypt(nonce, packed, _bound(sha256, number, last))
            out.write(_FRAME.pack(len(chunk), len(sealed), nonce) + sealed)
        out.flush()
        os.fsync(out.fileno())

    def read(self, sha256: str) -> Iterator[bytes]:
        """The plain bytes of an archived file, piece by piece. Raises ArchiveError."""
        if not self.holds(sha256):
            raise ArchiveError(f"The archive doesn't hold {sha256[:12]}….")
        with self.path(sha256).open("rb") as source:
            if source.read(len(_MAGIC)) != _MAGIC:
                raise ArchiveError(f"{sha256[:12]}… in the archive is no archive file.")
            number, ahead = 0, source.read(_FRAME.size)
            while True:
                if len(ahead) != _FRAME.size:
                    raise ArchiveError(f"{sha256[:12]}… in the archive is cut off.")
                plain, length, nonce = _FRAME.unpack(ahead)
                sealed, ahead = source.read(length), source.read(_FRAME.size)
                try:
                    packed = self._cipher.decrypt(nonce, sealed, _bound(sha256, number, not ahead))
                except InvalidTag:
                    raise ArchiveError(f"{sha256[:12]}… in the archive doesn't open: wrong key or changed.") from None
                yield self._codec.decompress(packed, decompressed_size=plain, asbytes=True)
                if not ahead:
                    return
                number += 1

    def remove(self, sha256: str) -> None:
        """Delete a file, as retention and erasure ask."""
        self.path(sha256).unlink(missing_ok=True)


def _chunks(read: Callable[[int], bytes], digest: "hashlib._Hash") -> Iterator[tuple[bytes, bool]]:
    """Pieces of a file with a mark on the last; an empty file is one empty piece."""
    ahead = read(_PLAIN)
    while True:
        chunk, ahead = ahead, read(_PLAIN)
        digest.update(chunk)
        yield chunk, not ahead
        if not ahead:
            return


def _bound(sha256: str, number: int, last: bool) -> bytes:
    return f"{sha256}|{number}|{'last' if last else 'more'}".encode()
