"""Everything that a file holds, however it is packed: archives, databases, workbooks, Parquet, and what is encrypted
where the keys are given."""

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from pipelines import warehouse
from pipelines.faults import BoroughlinkError
from pipelines.keys.keyring import Keyring
from pipelines.sources.archive import Archive

_DEEPEST = 4  # archives inside archives
#: What of ours is encrypted without saying so in its first bytes.
_SEALED_BY_NAME = {
    ".sealed": "a file of a release, under that release's own key",
    ".frequencies": "term frequencies of a model trained here",
}
_LARGEST = 1 << 31  # bytes out of one packed file: a bomb is reported, not opened
_ARCHIVED = b"BLARCH1\n"
#: How a file begins that only its recipients open (age, binary or as text).
_AGE = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")
#: What hides its text in a way that is not opened here, by how it begins: said, never passed over.
_OTHERWISE = {
    b"%PDF-": "a PDF, whose text can't be read here",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"\x04\x22\x4d\x18": "packed with lz4",
    b"ARROW1": "an Arrow file, which may be packed",
    b"PACK\x00\x00\x00": "a pack of git",
}
_PACKED: dict[bytes, Callable[[io.BytesIO], gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile]] = {
    b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, pl.exceptions.PolarsError, OSError, EOFError,
    RuntimeError, sqlite3.Error,
)  # fmt: skip


class NotOpened(BoroughlinkError):
    """A file that holds something which could not be looked into."""


@dataclass(frozen=True)
class Sealed:
    """Something encrypted whose key is not at hand: its bytes were looked at, and say nothing of what it holds."""

    what: str


def contents(path: Path, keyring: Keyring | None, temp: Path) -> Iterator[bytes | Sealed]:
    """The bytes of a file, then those of all that is packed in it, or what of it is sealed.

    Raises NotOpened for what should open and doesn't.
    """
    raw = path.read_bytes()
    yield raw
    if raw[:16] == b"SQLite format 3\0":
        try:
            yield from _sqlite(path)
        except sqlite3.Error:
            raise NotOpened(f"{path.name}: damaged, or in use") from None
    elif raw[8:12] == b"DUCK":
        yield from _duckdb(path, keyring, temp)
    elif raw[: len(_ARCHIVED)] == _ARCHIVED:
        if keyring is None:
            yield Sealed("an archived extract; --keys-of opens it")
            return
        plain = b"".join(Archive(path.parent, keyring.key("archive")).read(path.name))
        yield plain
        yield from _packed(plain, path.name, 1)
    else:
        yield from _packed(raw, path.name, 0)
        if path.suffix in _SEALED_BY_NAME:
            yield Sealed(_SEALED_BY_NAME[path.suffix])


def _packed(raw: bytes, name: str, depth: int) -> Iterator[bytes | Sealed]:
    if raw.startswith(_AGE):
        yield Sealed("an age file, for its recipients alone")
        return
    if unlike := next((what for begins, what in _OTHERWISE.items() if raw.startswith(begins)), None):
        raise NotOpened(f"{name}: {unlike}; scan what is in it")
    if depth > _DEEPEST:
        raise NotOpened(f"{name}: archives in archives, more than {_DEEPEST} deep")
    for inner in _unpacked(raw, name):
        yield inner
        yield from _packed(inner, name, depth + 1)


def _unpacked(raw: bytes, name: str) -> Iterator[bytes]:
    """What one layer of packing holds; nothing where there is none."""
    try:
        if raw[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(raw)) as packed:
                if sum(member.file_size for member in packed.infolist()) > _LARGEST:
                    raise NotOpened(f"{name}: packed too tightly to be opened")
                yield "\n".join(packed.namelist()).encode()
                yield from (packed.read(member) for member in packed.infolist())
        elif opener := next((how for begins, how in _PACKED.items() if raw.startswith(begins)), None):
            with opener(io.BytesIO(raw)) as one:
                plain = one.read(_LARGEST)
            yield plain
        elif raw[:1] == b"x" and int.from_bytes(raw[:2], "big") % 31 == 0:  # zlib; or text that begins alike
            with suppress(zlib.error):
                yield zlib.decompressobj().decompress(raw, _LARGEST)
        elif raw[:4] == b"PAR1":
            yield pl.read_parquet(io.BytesIO(raw)).write_ndjson().encode()
        elif raw[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(raw)) as packed:
                for member in packed:
                    if held := packed.extractfile(member):
                        yield member.name.encode()
                        yield held.read()
    except _DAMAGED:
        raise NotOpened(f"{name}: damaged, or protected by a password") from None


def _sqlite(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as con:
        for (table,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            quoted = table.replace('"', '""')
            rows = con.execute(f'SELECT * FROM "{quoted}"').fetchall()
            yield "\n".join(" ".join(_text(value) for value in row) for row in rows).encode("utf-8", "replace")


def _duckdb(path: Path, keyring: Keyring | None, temp: Path) -> Iterator[bytes | Sealed]:
    """Every table of a DuckDB file as JSON lines; an encrypted one only with its key, which is tried by name."""
    con = warehouse.connect(temp, (path.parent.resolve(),), "1GB", 1)
    try:
        if not _attached(con, path, keyring):
            yield Sealed("an encrypted database; --keys-of opens it")
            return
        tables = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'looked_at' ORDER BY ALL"
        ).fetchall()
        for schema, table in tables:
            named = ".".join('"' + part.replace('"', '""') + '"' for part in ("looked_at", schema, table))
            text = con.sql(f"SELECT to_json(t)::VARCHAR AS line FROM {named} t").pl()
            yield "\n".join(text["line"].to_list()).encode("utf-8", "replace")
    finally:
        con.close()


def _attached(con: duckdb.DuckDBPyConnection, path: Path, keyring: Keyring | None) -> bool:
    quoted = str(path.resolve()).replace("'", "''")
    with suppress(duckdb.Error):
        con.execute(f"ATTACH '{quoted}' AS looked_at (READ_ONLY)")
        return True
    for key in keyring.keys.values() if keyring else ():
        with suppress(duckdb.Error):
            con.execute(f"ATTACH '{quoted}' AS looked_at (READ_ONLY, ENCRYPTION_KEY ?)", [key.hex()])
            return True
    if keyring is not None:
        raise NotOpened(f"{path.name}: no key of the folder opens it")
    return False


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else json.dumps(value, default=str)
