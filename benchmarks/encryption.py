"""What encryption costs: one run over the same extracts as it is, and with plain DuckDB files, spill files and archive.

`python -m benchmarks.encryption [--people N] [--borough DIR] [--rounds N]`: CPU seconds of each by turns, each in a
process of its own; the least of the rounds counts. The plain run exists only here: its process replaces the functions
that encrypt. Beside the run, the demonstration's share: making the borough costs the same either way.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import duckdb

from pipelines import warehouse
from pipelines.settings import DataFolder, write_settings
from pipelines.sources import archive
from synthetic_data.borough import make_borough

GOAL = 0.15
WAYS = ("encrypted", "plain")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=180_688)
    asked.add_argument("--borough", type=Path, help="a folder that synth wrote, in the place of a new one")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--child", nargs=3, metavar=("WAY", "DATA", "LANDING"))
    given = asked.parse_args()
    if given.child:
        print(json.dumps(run(given.child[0], Path(given.child[1]), Path(given.child[2]))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        borough, making = given.borough or Path(scratch) / "borough", 0.0
        if given.borough is None:
            begun = time.process_time()
            make_borough(borough, given.people, 2026)
            making = time.process_time() - begun
        if not any((borough / "landing").rglob("manifest.json")):  # a demonstration's are gone once they are taken in
            raise SystemExit(f"no delivery lies in {borough / 'landing'}: a run of nothing would be measured")
        spent: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for number in range(given.rounds):
            for way in WAYS if number % 2 else reversed(WAYS):
                spent[way].append(_apart(way, Path(scratch) / f"{way}{number}", borough / "landing"))
                print(f"round {number + 1}, {way:<10}", spent[way][-1], flush=True)
    sealed, plain = (min(one["CPU s"] for one in spent[way]) for way in WAYS)
    print(f"a run: {sealed:.1f} CPU s encrypted, {plain:.1f} plain: encryption costs {sealed / plain - 1:+.1%}")
    share = (sealed - plain) / (plain + making)
    print(f"with the {making:.1f} CPU s of making the borough: {share:+.1%} of the demonstration (goal: {GOAL:.0%})")


def _apart(way: str, data: Path, landing: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.encryption", "--child", way, str(data), str(landing)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    if _opens_without_a_key(data / "identity.duckdb") != (way == "plain"):
        raise SystemExit(f"The run that should be {way} is not.")
    shutil.rmtree(data)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run(way: str, data: Path, landing: Path) -> dict[str, float]:
    """One run in this process: CPU and wall seconds, and the sizes of what it leaves."""
    if way == "plain":
        _encrypt_nothing()
    from pipelines.definitions import Place, execute

    folder = DataFolder.at(data).make()
    write_settings(folder, holds="synthetic", clock="2026-11-01")
    wall, cpu = time.perf_counter(), time.process_time()
    fine, faults = execute(Place.of(data, landing), "benchmark")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if not fine:
        raise SystemExit("\n".join(faults))
    return {
        "CPU s": round(cpu, 2),
        "s": round(wall, 2),
        "MB": sum(p.stat().st_size for p in data.rglob("*.duckdb")) >> 20,
    }


def _opens_without_a_key(path: Path) -> bool:
    con = duckdb.connect()
    try:
        con.execute(f"ATTACH '{path}' AS looked_at (READ_ONLY)")
    except duckdb.Error:
        return False
    finally:
        con.close()
    return True


def _encrypt_nothing() -> None:
    """Put plain twins in the place of what encrypts, in this process alone."""
    connect, opened = warehouse.connect, duckdb.connect

    def plain_connect(temp: Path, allowed: Sequence[Path], memory_limit: str, threads: int) -> Any:
        with patch.object(duckdb, "connect", lambda *given, **more: _Plain(opened(*given, **more))):
            return connect(temp, allowed, memory_limit, threads).con  # type: ignore[attr-defined]

    def plain_attach(con: Any, zone: str, path: Path, key: bytes, read_only: bool = False) -> None:
        # the storage of an encrypted file, which packs better than the one that DuckDB else writes
        storage = "READ_ONLY" if read_only else "STORAGE_VERSION 'v1.5.0'"
        con.execute(f"ATTACH '{path}' AS {zone} ({storage})")
        if not read_only:
            for schema in warehouse.SCHEMAS[zone]:
                con.execute(f"CREATE SCHEMA IF NOT EXISTS {zone}.{schema}")
            con.execute(f"CREATE TABLE IF NOT EXISTS {zone}.meta.relation {warehouse._RELATION}")

    warehouse.connect, warehouse.attach = plain_connect, plain_attach
    archive.AESGCM = lambda key: SimpleNamespace(  # type: ignore[misc,assignment]
        encrypt=lambda nonce, text, bound: text, decrypt=lambda nonce, text, bound: text
    )


class _Plain:
    """A connection while it is set up: without the module that encrypts, and with plain spill files."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def execute(self, sql: str) -> None:
        if not sql.startswith("LOAD "):
            self.con.execute(sql.replace("temp_file_encryption = true", "temp_file_encryption = false"))

    def close(self) -> None:
        self.con.close()


if __name__ == "__main__":
    main()
