"""Proves each protection of a data folder by probing it; nothing here believes a setting."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines import warehouse
from pipelines.commit_point import Current, hold_lock
from pipelines.custody.auditing import verified
from pipelines.faults import BoroughlinkError
from pipelines.governance.fitness import UNDECLARED, lacking, loosely_kept, telemetry
from pipelines.keys.keyring import STANDING_KEYS, open_keyring
from pipelines.settings import DataFolder, Settings, load_settings

MARKER = b"PROBE-MARKER-7319-PLAINTEXT"


@dataclass(frozen=True)
class Finding:
    """One probe: what was proved, whether it held, and what was seen."""

    what: str
    fine: bool
    said: str


def examine(folder: DataFolder) -> list[Finding]:
    """Every probe over a data folder, in the order in which a reader would ask."""
    folder.make()
    settings = load_settings(folder)
    findings = list(_keys(folder, settings))
    if not findings[-1].fine:
        return findings
    with tempfile.TemporaryDirectory(dir=folder.temp, prefix="doctor-") as scratch:
        place = Path(scratch).resolve()
        for probe in (_at_rest, _wrong_key, _flipped_bit, _spill, _sandbox, _locked):
            findings.append(_held(probe, place, settings))
    findings += [
        _one_writer(folder),
        _permissions(folder),
        _audit(folder),
        _dagster(folder),
        _real(folder, settings),
    ]
    return findings


def _held(probe: Callable[[Path, Settings], Finding], place: Path, settings: Settings) -> Finding:
    try:
        return probe(place, settings)
    except BoroughlinkError as fault:
        return Finding((probe.__doc__ or probe.__name__).rstrip("."), False, str(fault))


def _keys(folder: DataFolder, settings: Settings) -> Iterator[Finding]:
    try:
        keyring = open_keyring(folder, settings, STANDING_KEYS)
    except BoroughlinkError as fault:
        yield Finding("Keys open", False, str(fault))
        return
    distinct = len(set(keyring.keys.values())) == len(keyring.keys)
    yield Finding(
        "Keys open", distinct, f"{len(keyring.keys)} keys, all different; the key that wraps them: {keyring.origin}"
    )


def _open(place: Path, settings: Settings, memory: str = "200MB") -> duckdb.DuckDBPyConnection:
    temp = place / "spill"
    temp.mkdir(exist_ok=True)
    return warehouse.connect(temp, (place,), memory, settings.threads)


def _written(place: Path, settings: Settings) -> Path:
    path = place / "probe.duckdb"
    if not path.exists():
        con = _open(place, settings)
        try:
            warehouse.attach(con, "identity", path, b"k" * 32)
            con.execute("CREATE TABLE identity.facts.probe AS SELECT ? AS text FROM range(10000)", [MARKER.decode()])
            con.execute("CHECKPOINT identity")
        finally:
            con.close()
    return path


def _at_rest(place: Path, settings: Settings) -> Finding:
    """Warehouse files are encrypted."""
    found = _written(place, settings).read_bytes().count(MARKER)
    return Finding(
        "Warehouse files are encrypted", found == 0, f"{found} of 10,000 written markers can be read in the file"
    )


def _wrong_key(place: Path, settings: Settings) -> Finding:
    """A wrong key opens nothing."""
    con = _open(place, settings)
    try:
        warehouse.attach(con, "identity", _written(place, settings), b"w" * 32, read_only=True)
    except BoroughlinkError:
        return Finding("A wrong key opens nothing", True, "refused")
    finally:
        con.close()
    return Finding("A wrong key opens nothing", False, "the file opened")


def _flipped_bit(place: Path, settings: Settings) -> Finding:
    """One flipped bit in a file is found."""
    path = place / "flipped.duckdb"
    content = bytearray(_written(place, settings).read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    con = _open(place, settings)
    try:
        warehouse.attach(con, "identity", path, b"k" * 32, read_only=True)
        con.execute("SELECT count(DISTINCT text) FROM identity.facts.probe").fetchall()
    except (BoroughlinkError, duckdb.Error):
        return Finding("One flipped bit in a file is found", True, "refused")
    finally:
        con.close()
    return Finding("One flipped bit in a file is found", False, "the damaged file was read without complaint")


def _spill(place: Path, settings: Settings) -> Finding:
    """Temporary files are encrypted while a query spills."""
    what = "Temporary files are encrypted"
    con = _open(place, settings, "100MB")
    con.execute("SET threads = 1")  # what a thread needs to sort stays below the limit, whatever else runs
    seen, readable, done = 0, 0, threading.Event()

    def watch() -> None:
        nonlocal seen, readable
        while not done.wait(0.02):
            for path in (place / "spill").rglob("*"):
                try:
                    content = path.read_bytes()
                except OSError:
                    continue
                seen, readable = max(seen, len(content)), max(readable, content.count(MARKER))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        con.execute(
            "CREATE TEMP TABLE spilled AS SELECT ? || hash(i) AS text FROM range(700000) t(i) ORDER BY hash(i)",
            [MARKER.decode() * 4],
        )
    except duckdb.Error:
        return Finding(what, False, "the probe could not spill")
    finally:
        done.set()
        watcher.join()
        con.close()
    return Finding(what, seen > 0 and readable == 0, f"{seen:,} bytes spilled, {readable} markers readable in them")


def _sandbox(place: Path, settings: Settings) -> Finding:
    """The warehouse can't reach outside its folders."""
    con = _open(place, settings)
    outside = Path(tempfile.gettempdir()) / "outside.csv"
    tries = {
        "read another file": "SELECT * FROM read_text('/etc/passwd')",
        "climb out": f"SELECT * FROM read_text('{place}/../../../../../../etc/passwd')",
        "attach another file": f"ATTACH '{outside}.duckdb' AS other",
        "write elsewhere": f"COPY (SELECT 1) TO '{outside}'",
        "install code": "INSTALL spatial",
    }
    passed = []
    try:
        warehouse.lock_configuration(con)
        for name, sql in tries.items():
            try:
                con.execute(sql).fetchall()
                passed.append(name)
            except duckdb.Error:
                continue
    finally:
        con.close()
    said = f"could still: {', '.join(passed)}" if passed else f"{len(tries)} ways out tried, all refused"
    return Finding("The warehouse can't reach outside its folders", not passed, said)


def _locked(place: Path, settings: Settings) -> Finding:
    """Settings can't be changed once a step has begun."""
    con = _open(place, settings)
    warehouse.lock_configuration(con)
    changed = []
    for setting in ("enable_external_access = true", "temp_file_encryption = false", "lock_configuration = false"):
        try:
            con.execute(f"SET {setting}")
            changed.append(setting)
        except duckdb.Error:
            continue
    con.close()
    return Finding("Settings can't be changed in a step", not changed, f"changed: {changed}" if changed else "refused")


def _one_writer(folder: DataFolder) -> Finding:
    what = "One run at a time"
    try:
        first = hold_lock(folder, "doctor")
    except BoroughlinkError as fault:
        return Finding(what, True, str(fault))
    try:
        hold_lock(folder, "doctor, a second time").close()
    except BoroughlinkError:
        return Finding(what, True, "a second run was refused while the lock was held")
    finally:
        first.close()
    return Finding(what, False, "a second run got the lock")


def _permissions(folder: DataFolder) -> Finding:
    loose = [path.relative_to(folder.root) for path in loosely_kept(folder)]
    said = f"readable by others: {', '.join(map(str, loose[:5]))}" if loose else "folders 0700, files 0600 throughout"
    return Finding("Only the owner can read the data folder", not loose, said)


def _audit(folder: DataFolder) -> Finding:
    what = "The audit is whole, and the store as it was written"
    try:
        whole, told = verified(folder)
    except BoroughlinkError as fault:
        return Finding(what, False, str(fault))
    return Finding(what, whole, f"{' '.join(told.said)} Published run: {Current.read(folder).published or 'none'}")


def _dagster(folder: DataFolder) -> Finding:
    off = not telemetry(folder)
    said = "Dagster's telemetry is off; its pages are bound to loopback" if off else "Dagster's telemetry is on"
    return Finding("Nothing calls home", off, said)


def _real(folder: DataFolder, settings: Settings) -> Finding:
    what = "Fit for the data it holds"
    if not settings.declared:
        return Finding(what, False, UNDECLARED)
    if settings.holds == "synthetic":
        return Finding(what, True, "the folder is marked as holding invented people only")
    wanted = lacking(folder, settings)
    return Finding(what, not wanted, " ".join(wanted) or "real data: assessed, keys in escrow, audit anchored")
