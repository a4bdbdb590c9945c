"""DuckDB as the project uses it: encrypted files, encrypted temp files, a sandbox, nothing left open.

Each step of a run opens a `Warehouse`: an in-memory database with the zones it needs attached as catalogs
(`identity`, `attributes`). Linking runs in memory; results go to the attached files.
"""

import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_httpfs
import polars as pl

from pipelines.faults import BoroughlinkError, Refusal

SCHEMAS = {
    "identity": ("staged", "facts", "places", "people", "linkage", "residents", "fraud", "review", "quality", "meta"),
    "attributes": ("attributes", "risk", "meta"),
    "published": ("meta",),
    "clean": ("meta",),
    "tiers": ("risk", "meta"),
}
_RELATION = "(name VARCHAR PRIMARY KEY, run_id VARCHAR, row_count BIGINT)"
_TABLE_NAME = re.compile(r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*){1,2}$")


Params = Sequence[Any] | Mapping[str, Any] | None


class WarehouseError(BoroughlinkError):
    """DuckDB refused; the text names the table and the kind of fault, never a value."""


class StoreRefused(WarehouseError, Refusal):
    """An encrypted file doesn't open or doesn't hold together: wrong key, or changed on disk."""


class Warehouse:
    """An open connection with its zones attached; `as_of` is the day on which the run stands."""

    def __init__(self, con: duckdb.DuckDBPyConnection, run_id: str, as_of: date, folder: Path | None = None) -> None:
        self.con = con
        self.run_id = run_id
        self.as_of = as_of
        self.folder = folder

    def execute(self, sql: str, params: Params = None) -> None:
        try:
            self.con.execute(sql, params)
        except duckdb.Error as fault:
            raise _refused(fault, sql) from None

    def rows(self, sql: str, params: Params = None) -> list[tuple[Any, ...]]:
        try:
            return self.con.execute(sql, params).fetchall()
        except duckdb.Error as fault:
            raise _refused(fault, sql) from None

    def frame(self, sql: str) -> pl.DataFrame:
        """The result of a query as a Polars frame."""
        try:
            return self.con.sql(sql).pl()
        except duckdb.Error as fault:
            raise _refused(fault, sql) from None

    @contextmanager
    def given(self, frame: pl.DataFrame) -> Iterator[None]:
        """Let the statements inside read a Polars frame as the table `given`."""
        self.con.register("given", frame)
        try:
            yield
        finally:
            self.con.unregister("given")

    def scalar(self, sql: str, params: Params = None) -> Any:
        return self.rows(sql, params)[0][0]

    def table(self, name: str, select: str, params: Params = None) -> int:
        """Build `catalog.schema.table` from a SELECT, replacing it whole; note run and rows; return the rows."""
        if not _TABLE_NAME.match(name):
            raise ValueError(f"not a table name: {name!r}")
        self.execute(f"CREATE OR REPLACE TABLE {name} AS {select}", params)
        return self.note(name)

    def renew(self, name: str, select: str, key: str, order: str) -> int:
        """Bring a table to what a SELECT gives, as `table` does in this order, but write only the rows of those keys
        whose rows are not what they were: to write a file costs more than to compare."""
        self.execute(f"CREATE OR REPLACE TEMP TABLE renewed AS {select}")
        try:
            if not self.exists(name) or self.rows(f"DESCRIBE {name}") != self.rows("DESCRIBE renewed"):
                return self.table(name, f"FROM renewed ORDER BY {order}")
            # by 64-bit hashes of rows, which are counted in a fraction of the time that keys take
            self.execute(
                f"""CREATE OR REPLACE TEMP TABLE renewed_said AS SELECT said FROM (
                    SELECT hash(t) AS said, 1 AS side FROM renewed t UNION ALL SELECT hash(t), -1 FROM {name} t)
                GROUP BY said HAVING sum(side) <> 0"""
            )
            found = " UNION ".join(
                f"SELECT {key} FROM {each} t WHERE hash(t) IN (FROM renewed_said)" for each in ("renewed", name)
            )
            self.execute(f"CREATE OR REPLACE TEMP TABLE renewed_key AS {found}")
            differs = f"{key} IN (SELECT {key} FROM renewed_key)"
            self.execute(f"DELETE FROM {name} WHERE {differs}")
            self.execute(f"INSERT INTO {name} FROM renewed WHERE {differs} ORDER BY {order}")
            return self.note(name)
        finally:
            for table in ("renewed", "renewed_said", "renewed_key"):
                self.execute(f"DROP TABLE IF EXISTS {table}")

    def rewrite(self, name: str, select: str, key: str, touched: str) -> int:
        """Take the rows of the keys in the table `touched` out of a table and put in those that a SELECT gives; return
        its rows. To write the file whole would cost more."""
        self.execute(f"DELETE FROM {name} WHERE {key} IN (SELECT {key} FROM {touched})")
        self.execute(f"INSERT INTO {name} {select}")
        return self.note(name)

    def note(self, name: str) -> int:
        """Record in the file's `meta.relation` that this run made the table; return its rows."""
        catalog, _, relation = name.partition(".")
        if not self.exists(f"{catalog}.meta.relation"):
            return int(self.scalar(f"SELECT count(*) FROM {name}"))
        noted = f"INSERT OR REPLACE INTO {catalog}.meta.relation SELECT ?, ?, count(*) FROM {name} RETURNING row_count"
        return int(self.scalar(noted, [relation, self.run_id]))

    def exists(self, name: str) -> bool:
        """Whether a table or view of that full name is there."""
        return bool(self.columns(name))

    def columns(self, name: str) -> list[str]:
        """Column names of a table or view, in order; empty if there is none of that name."""
        quoted = ".".join(f'"{part}"' for part in name.split("."))
        try:  # DuckDB's list of all columns takes a hundred times as long
            return [row[0] for row in self.con.execute(f"DESCRIBE {quoted}").fetchall()]
        except (duckdb.CatalogException, duckdb.BinderException):
            return []


def sql_file(path: Path, **names: str) -> str:
    """The text of a .sql file, with ${name} places filled by names of our own (never by values)."""
    return string.Template(path.read_text(encoding="utf-8")).substitute(names)


#: Crypto modules whose signature DuckDB has found good in this process: of the same file it need not ask at each step.
_signed: set[tuple[int, ...]] = set()


def connect(temp: Path, allowed: Sequence[Path], memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    """An in-memory connection that may touch only `allowed` folders; not yet locked, so that zones can be attached.

    Raises WarehouseError when the crypto module can't be loaded: nothing is ever written unencrypted.
    """
    # said later, DuckDB refuses it where files of another process lie in .tmp of the working folder
    spill = {"temp_file_encryption": "true", "temp_directory": str(temp)}
    module = _crypto_module()
    mark = _mark_of(module)
    unsigned = {"allow_unsigned_extensions": str(mark in _signed).lower()}
    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false", **unsigned, **spill})
    try:
        con.execute("LOAD '" + module.replace("'", "''") + "'")
        con.execute("SET allow_unsigned_extensions = false")
        if mark and mark == _mark_of(module):  # the file that was marked is the one that was loaded
            _signed.add(mark)
        con.execute(f"SET memory_limit = '{memory_limit}'")
        con.execute(f"SET threads = {int(threads)}")
        con.execute("SET preserve_insertion_order = true")
        con.execute("SET enable_progress_bar = false")
        folders = ", ".join("'" + str(path.resolve()).replace("'", "''") + "'" for path in (*allowed, temp))
        con.execute(f"SET allowed_directories = [{folders}]")
    except duckdb.Error as fault:
        con.close()
        raise _refused(fault, "opening the warehouse") from None
    return con


def sql_list(words: Iterable[str]) -> str:
    """Words as the inside of an SQL `IN (...)`; none of them is like no value."""
    return ", ".join("'" + word.replace("'", "''") + "'" for word in words) or "NULL"


def attach(con: duckdb.DuckDBPyConnection, zone: str, path: Path, key: bytes, read_only: bool = False) -> None:
    """Attach an encrypted file as the catalog `zone`, making its schemas when it is new.

    The key goes in as a bound parameter: a literal one would land in DuckDB's query log.
    Raises WarehouseError on a wrong key, a damaged file or a file in use.
    """
    options = "ENCRYPTION_KEY ?" + (", READ_ONLY" if read_only else "")
    quoted = str(path).replace("'", "''")
    try:
        con.execute(f"ATTACH '{quoted}' AS {zone} ({options})", [key.hex()])
        if not read_only:
            for schema in SCHEMAS[zone]:
                con.execute(f"CREATE SCHEMA IF NOT EXISTS {zone}.{schema}")
            con.execute(f"CREATE TABLE IF NOT EXISTS {zone}.meta.relation {_RELATION}")
    except duckdb.Error as fault:
        reason = "the key does not fit" if "encryption key" in str(fault).lower() else type(fault).__name__
        refused = WarehouseError if "lock" in str(fault).lower() else StoreRefused
        raise refused(f"{path.name} can't be opened ({reason}). `boroughlink doctor` says more.") from None


@contextmanager
def opened(
    zones: Mapping[str, tuple[Path, bytes]],
    temp: Path,
    allowed: Sequence[Path],
    memory_limit: str,
    threads: int,
    *,
    read_only: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked sandbox with encrypted files (path, key) attached, each as the catalog of its name; closed on leaving.

    Raises WarehouseError.
    """
    con = connect(temp, allowed, memory_limit, threads)
    try:
        for zone, (path, key) in zones.items():
            attach(con, zone, path, key, read_only)
        lock_configuration(con)
        yield con
    finally:
        con.close()


def lock_configuration(con: duckdb.DuckDBPyConnection) -> None:
    """Close the sandbox: no access outside the allowed folders, no setting can be changed any more."""
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


@contextmanager
def scratch_warehouse(
    as_of: date = date(2026, 10, 31), run_id: str = "scratch", threads: int = 1
) -> Iterator[Warehouse]:
    """A throw-away warehouse in memory with every zone attached; for tests and what-if questions."""
    con = duckdb.connect(":memory:")
    try:
        con.execute(f"SET threads = {threads}")
        for zone in ("identity", "attributes"):
            con.execute(f"ATTACH ':memory:' AS {zone}")
            for schema in SCHEMAS[zone]:
                con.execute(f"CREATE SCHEMA {zone}.{schema}")
            con.execute(f"CREATE TABLE {zone}.meta.relation {_RELATION}")
        yield Warehouse(con, run_id, as_of)
    finally:
        con.close()


def _crypto_module() -> str:
    """The signed httpfs extension inside its package: it carries OpenSSL, without which DuckDB refuses to write."""
    folder = Path(duckdb_extension_httpfs.__file__).parent / "extensions" / f"v{duckdb.__version__}"
    return str(folder / "httpfs.duckdb_extension")


def _mark_of(module: str) -> tuple[int, ...] | None:
    """What changes when another file stands in a file's place; None without a file."""
    try:
        found = Path(module).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


# From the first quotation mark to the last, or to the end: O'Brien holds one too.
_QUOTED = re.compile(r"""['"](?:.*['"]|.*)|\d{4,}""")


def _refused(fault: duckdb.Error, sql: str) -> WarehouseError:
    kind = StoreRefused if "AES tag" in str(fault) else WarehouseError
    return kind(_redacted(fault, sql))


def _redacted(fault: duckdb.Error, sql: str) -> str:
    """What DuckDB said where it speaks of our names or of the disk; else the kind of fault alone: it quotes values."""
    what = sql.strip().splitlines()[0][:100] if sql.strip() else "a statement"
    if isinstance(fault, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        said = str(fault).splitlines()[0]  # names of ours, not values
    elif isinstance(fault, duckdb.OutOfMemoryException):
        said = "out of memory; raise memory_limit in boroughlink.yaml"
    elif isinstance(fault, duckdb.IOException):
        said = "disk: " + _QUOTED.sub("…", str(fault).splitlines()[0])
    elif "AES tag" in str(fault):
        said = "the file is damaged, or its key does not fit"
    else:
        said = type(fault).__name__
    return f"The warehouse refused ({_QUOTED.sub('…', what)}): {said}"
